"""RiskAssessment, for the people who act on it: which suppliers need somebody, and in what order."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from success import columns, db
from success.stages import stage_sql

MOST = 20
MOST_NEW = 8
WEEK = timedelta(days=7)
WORST = "array_position(array['critical', 'at_risk', 'healthy'], {})"  # 1 the worst


@dataclass(frozen=True, slots=True)
class Line:
    """A supplier who needs somebody."""

    key: int
    id: str
    name: str
    mrr: float | None
    currency: str
    ends_at: datetime | None
    trial: bool
    owner: str | None
    stage: str
    level: str | None
    score: float | None
    level_before: str | None
    level_since: datetime | None
    fell: bool
    contacted_at: datetime | None


@dataclass(slots=True)
class Found:
    """The first of a list, and how many are in it."""

    lines: list[Line]
    total: int = 0


@dataclass(frozen=True, slots=True)
class Book:
    """Suppliers in service by level with those that came to it this week, their money at risk by currency, and who is left out."""

    levels: dict[str, int]
    came: dict[str, int]
    at_risk: dict[str, float]
    snoozed: int
    by_hand: int
    left_out: dict[str, int]

    @property
    def by_level(self) -> list[tuple[str, int, int]]:
        return [(level, n, self.came[level]) for level, n in self.levels.items()]


OF_BOOK = "f.in_service and (%(owner)s::integer is null or s.owner_id = %(owner)s) and (not %(unassigned)s or s.owner_id is null)"


def everyone() -> str:
    """Suppliers `x` in service whom this reader asks about, with all that the order needs."""
    level, before = columns.expression("level"), "a.level_before"
    return f"""select s.id as key, s.external_id as id, s.mrr, s.currency, s.owner_id, s.status = 'trial' as trial,
            case s.status when 'trial' then s.trial_ends_at else s.renews_at end as ends_at, {stage_sql("%(at)s")} as stage,
            {level} as level, a.score, {before} as level_before, a.level_since, a.declining, f.known_since,
            coalesce({WORST.format(level)} < {WORST.format(before)} and a.level_since > %(week)s, false) as fell
        from success_supplier s join success_facts f on f.supplier_id = s.id {columns.joins()}
        where {OF_BOOK}"""


AWAKE = "not exists (select 1 from success_snooze z where z.supplier_id = s.id and z.ended_at is null and z.until > %(at)s)"
NEEDS = "x.stage <> 'new' and (x.level in ('critical', 'at_risk') or x.declining or (x.stage = 'at_end' and x.level is null))"
LISTS = {  # name -> who stands in it, in which order, how many at most
    "needing": (NEEDS, "x.fell desc, coalesce(x.mrr / u.mrr, 0) * greatest(70 - coalesce(x.score, 70), 0) desc, x.ends_at, x.key", MOST),
    "trying": (f"x.trial and {NEEDS}", "x.fell desc, x.ends_at, x.key", MOST_NEW),
    "new": ("x.stage = 'new'", "x.known_since desc, x.key", MOST_NEW),
}


def lines() -> str:
    """All lists from one pass over the suppliers."""
    one = "select x.* from x left join usual u using (currency) where {where} order by {order} limit {most}"
    found = " union all ".join(
        f"(select '{name}' as list, row_number() over () as place, t.{name} as total, x.* from ({one.format(where=where, order=order, most=most)}) x, total t)"
        for name, (where, order, most) in LISTS.items()
    )
    totals = ", ".join(f"count(*) filter (where {where}) as {name}" for name, (where, _, _) in LISTS.items())
    return f"""with usual as materialized (select currency, avg(mrr) as mrr from success_supplier where mrr > 0 group by 1),
        x as materialized (select * from ({everyone()} and {AWAKE}) x where x.stage = 'new' or {NEEDS}),
        total as materialized (select {totals} from x), found as ({found})
        select x.list, x.key, x.id, coalesce(nullif(c.name, ''), x.id), x.mrr, x.currency, x.ends_at, x.trial,
            coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''), u.username), x.stage, x.level, x.score, x.level_before, x.level_since, x.fell,
            t.at, x.total
        from found x
        left join success_contact c on c.supplier_id = x.key and c.is_primary
        left join auth_user u on u.id = x.owner_id
        left join lateral (select at from success_touchpoint where supplier_id = x.key order by at desc limit 1) t on true order by x.list, x.place"""


def chosen(which: str) -> str:
    """A statement that finds the suppliers of a list, or those who are snoozed, for those who show them all."""
    if which == "snoozed":
        return f"select key from ({everyone()} and not {AWAKE}) x"
    return f"select key from ({everyone()} and {AWAKE}) x where {LISTS[which][0]}"


# Beginning with the few who are snoozed, or whose level was set by hand: among all it takes a pass over everybody to find them.
ASIDE = f"""select (
    select count(*) from success_snooze z join success_supplier s on s.id = z.supplier_id join success_facts f on f.supplier_id = s.id
    where z.ended_at is null and z.until > %(at)s and {OF_BOOK}
), (
    select count(*) from health_override v join success_supplier s on s.id = v.supplier_id join success_facts f on f.supplier_id = s.id
    join health_assessment a on a.supplier_id = s.id where v.ended_at is null and v.until > %(at)s and a.level is not null and {OF_BOOK}
)"""


def params(*, owner: int | None, unassigned: bool, at: datetime) -> dict[str, Any]:
    return {"owner": owner, "unassigned": unassigned, "at": at, "week": at - WEEK}


def lists(*, owner: int | None = None, unassigned: bool = False, at: datetime) -> dict[str, Found]:
    """Who needs somebody, three lists.

    `needing`: at most 20 past their first week, those who fell this week first, then by money times distance below 70, then by the end of trial or term.
    Money is measured by what is usual in its currency: 869 Swedish crowns are not eleven times 79 pounds.
    `trying`: those on trial who need somebody and are not among them: money cannot rank who pays nothing yet.
    `new`: the latest of those in their first week.
    """
    found = {name: Found([]) for name in LISTS}
    for name, *line, total in db.rows(lines(), params(owner=owner, unassigned=unassigned, at=at)):
        found[name].lines.append(Line(*line))
        found[name].total = total
    already = {line.key for line in found["needing"].lines}
    found["trying"].lines = [line for line in found["trying"].lines if line.key not in already]
    return found


def book(*, owner: int | None = None, unassigned: bool = False, at: datetime) -> Book:
    """The suppliers of one of us, or all, in numbers."""
    asked = params(owner=owner, unassigned=unassigned, at=at)
    found = db.rows(
        f"""select coalesce(x.level, 'none'), x.currency, count(*), count(*) filter (where x.level_since > %(week)s), coalesce(sum(x.mrr), 0)
            from ({everyone()}) x group by 1, 2""",
        asked,
    )
    levels, came = (dict.fromkeys(("critical", "at_risk", "healthy", "none"), 0) for _ in range(2))
    at_risk: dict[str, float] = {}
    for level, currency, n, new, mrr in found:
        levels[level] += n
        came[level] += new
        if level in ("critical", "at_risk") and mrr:
            at_risk[currency] = at_risk.get(currency, 0) + mrr
    at_risk = dict(sorted(at_risk.items(), key=lambda item: -item[1]))
    [(snoozed, by_hand)] = db.rows(ASIDE, asked)
    return Book(levels, came, at_risk, snoozed, by_hand, left_out(owner=owner, unassigned=unassigned))


def left_out(*, owner: int | None = None, unassigned: bool = False) -> dict[str, int]:
    """How many cancelled, paused and internal suppliers no list and no sum counts."""
    found = db.rows(
        """select case when internal then 'internal' else status end, count(*) from success_supplier s
            where (internal or status in ('cancelled', 'paused')) and (%(owner)s::integer is null or s.owner_id = %(owner)s)
              and (not %(unassigned)s or s.owner_id is null) group by 1 order by 1""",
        {"owner": owner, "unassigned": unassigned},
    )
    return dict(found)
