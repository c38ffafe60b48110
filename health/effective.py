"""The level that counts: one that a person set (`health.overrides`), while it lasts and there is a score beside it; else the computed one. As SQL."""

# Over a supplier `s` and its assessment `a`.
OVERRIDDEN = "left join health_override v on v.supplier_id = s.id and v.ended_at is null and v.until > %(at)s"
LEVEL = "case when a.level is not null then coalesce(v.level, a.level) end"
