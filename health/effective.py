"""The level that counts: one that a person set (`health.overrides`), while it lasts and there is a score beside it; else the computed one. As SQL."""

from success.stages import IN_SERVICE

AT_RISK = ("critical", "at_risk")  # levels, whose money is counted as being at risk
# Over a supplier `s` and its assessment `a`.
OVERRIDDEN = "left join health_override v on v.supplier_id = s.id and v.ended_at is null and v.until > %(at)s"
LEVEL = "case when a.level is not null then coalesce(v.level, a.level) end"
SET = "select supplier_id from health_override where ended_at is null and until > %(at)s"
# That it is one value. Said so that the planner knows how many to expect: of a join to levels set by hand it expects a few hundred, and takes three times as long.
AT_LEVEL = f"""(a.level = %(value)s and a.supplier_id <> all(array({SET}))
    or a.level is not null and a.supplier_id = any(array({SET} and level = %(value)s)))"""

# How a supplier stands: her level, `none` without a score, `ended` out of service. Now.
STANDS = f"case when {IN_SERVICE} then coalesce({LEVEL}, 'none') else 'ended' end"
STANDING = "case h.status when 'ok' then h.level when 'insufficient_data' then 'none' else 'ended' end"  # of a snapshot `h`, and of none

# And how she stood at the last instant of a day: as the first snapshot after it that changed that says, or else as she stood when the last day was closed.
IN_FORCE = "w.at <= {end} and w.until > {end} and (w.ended_at is null or w.ended_at > {end})"  # an override `w`
TURNED = f"""left join (select distinct on (supplier_id) supplier_id, stood_before from health_snapshot
        where stood_before is not null and day > %(day)s order by supplier_id, day) t on t.supplier_id = s.id
    left join health_override w on w.supplier_id = s.id and {IN_FORCE.format(end="%(end)s")}"""
COMPUTED = "coalesce(t.stood_before, a.stood, 'ended')"
STOOD = f"case when {COMPUTED} in ('critical', 'at_risk', 'healthy') then coalesce(w.level, {COMPUTED}) else {COMPUTED} end"
