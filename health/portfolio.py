"""The portfolio, for who leads: levels over time, and movement between them.

The past is read backwards from the last day closed (`Assessment.stood`), over the snapshots that changed how somebody stood (`Snapshot.stood_before`):
a few for each supplier and year, where snapshots are a few for each week. Counts kept by day would be smaller, but wrong: the owner, as in the lists
behind every number, is whoever it is now.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Min

from health.effective import AT_RISK, IN_FORCE, LEVEL, OVERRIDDEN, STANDING, STANDS, STOOD, TURNED
from health.history import end_of
from health.models import Snapshot
from success import db

LEVELS = ("critical", "at_risk", "healthy")
STANDINGS = (*LEVELS, "none")  # of suppliers in service
ENDED = "ended"
NOW = f"success_supplier s left join health_assessment a on a.supplier_id = s.id {OVERRIDDEN}"
SUPPLIERS = f"{NOW} {TURNED}"
ASSESSED = f"health_assessment a {OVERRIDDEN} {TURNED}".replace("s.id", "a.supplier_id")  # the same of those who have a score: a third less to read


@dataclass(frozen=True, slots=True)
class Point:
    """Suppliers in service by how they stood at the end of a day."""

    day: date
    counts: dict[str, int]


def whose(owner: int | None, unassigned: bool) -> str:
    return "s.owner_id is null" if unassigned else "s.owner_id = %(owner)s" if owner else "true"


def known_from() -> date | None:
    """The first day of which it is known how suppliers stood."""
    first: date | None = Snapshot.objects.aggregate(first=Min("day"))["first"]
    return first


# ---------------------------------------------------------------- now, and as against a day


@dataclass(slots=True)
class Movement:
    """From how suppliers stood at the end of a day to how they stand now; how all stood when the last day was closed; and a month's money at risk, by currency."""

    moves: Counter[tuple[str, str]] = field(default_factory=Counter)
    last: Counter[str] = field(default_factory=Counter)
    at_risk: dict[str, float] = field(default_factory=dict)


def movement(*, since: date, owner: int | None = None, unassigned: bool = False, at: datetime) -> Movement:
    """`ended` is out of service, or not known yet."""
    found = Movement()
    for closed, stood, stands, currency, n, mrr in db.rows(moves_sql(whose(owner, unassigned)), {"owner": owner, "at": at, "day": since, "end": end_of(since)}):
        found.moves[stood, stands] += n
        found.last[closed] += n
        if stands in AT_RISK and mrr:
            found.at_risk[currency] = found.at_risk.get(currency, 0) + mrr
    return found


def moves_sql(owned: str) -> str:
    """Counted first as it stands in the tables; how they stood is then said of the few kinds there are, instead of each supplier."""
    return f"""select coalesce(a.stood, 'ended'), {STOOD}, x.stands, x.currency, x.n, x.mrr from (
            select a.stood, t.stood_before, w.level, {STANDS} as stands, s.currency, count(*) as n, sum(s.mrr) as mrr
            from {SUPPLIERS} where {owned} group by 1, 2, 3, 4, 5
        ) x, lateral (select x.stood) a, lateral (select x.stood_before) t, lateral (select x.level) w"""


def moved(condition: str, *, since: date, at: datetime) -> tuple[str, dict[str, Any]]:
    """A statement that finds the suppliers whose `stood` and `stands` fulfil a condition, for those who list them."""
    sql = f"select id from (select s.id, {STOOD} as stood, {STANDS} as stands from {SUPPLIERS}) x where {condition}"
    return sql, {"at": at, "day": since, "end": end_of(since)}


def moved_to_a_level(condition: str, *, since: date, at: datetime) -> tuple[str, dict[str, Any]]:
    """The same where `stands` is to be a level, among those in service: who is not stands in no level, and this does not look."""
    sql = f"select id from (select a.supplier_id as id, {STOOD} as stood, {LEVEL} as stands from {ASSESSED}) x where {condition}"
    return sql, {"at": at, "day": since, "end": end_of(since)}


# ---------------------------------------------------------------- over time


def weeks(last: Counter[str], *, n: int, owner: int | None = None, unassigned: bool = False, at: datetime) -> list[Point]:
    """How suppliers stood a week ago, two weeks ago, up to `n`, as far as it is known; oldest first. `last` is how they stood when the last day was closed."""
    first, today = known_from(), at.date()
    days = {back: today - timedelta(weeks=back) for back in range(n, 0, -1)}
    days = {back: day for back, day in days.items() if first and day >= first}
    if not days:
        return []
    owned = whose(owner, unassigned)
    params = {"owner": owner, "today": today, "days": [*days.values()], "ends": [end_of(day) for day in days.values()], "from": min(days.values())}
    turns, lasting = (db.rows(sql(owned), params) for sql in (turned, overridden))
    return [Point(day, stood(last, [row[1:] for row in turns if row[0] < back], [row[1:] for row in lasting if row[0] == day])) for back, day in days.items()]


def of(owned: str, column: str) -> str:
    return "" if owned == "true" else f"join success_supplier s on s.id = {column} and {owned}"


def turned(owned: str) -> str:
    """By the number of whole weeks since then: from what to what suppliers changed, and how many. First as the index has them in order, which is twice as fast."""
    return f"""select (%(today)s::date - h.day) / 7, h.stood_before, {STANDING}, sum(h.n)::integer from (
            select h.day, h.stood_before, h.status, h.level, count(*) as n
            from health_snapshot h {of(owned, "h.supplier_id")} where h.stood_before is not null and h.day > %(from)s group by 1, 2, 3, 4
        ) h group by 1, 2, 3"""


def overridden(owned: str) -> str:
    """By day: from the computed level to the one set by a person that was in force at its end, and how many."""
    return f"""select d.day, h.level, w.level, count(*) from unnest(%(days)s::date[], %(ends)s::timestamptz[]) as d (day, ended)
        join health_override w on {IN_FORCE.format(end="d.ended")} {of(owned, "w.supplier_id")}
        join lateral (select status, level from health_snapshot where supplier_id = w.supplier_id and day <= d.day order by day desc limit 1) h on h.status = 'ok'
        group by 1, 2, 3"""


def stood(last: Counter[str], since: list[tuple[Any, ...]], lasting: list[tuple[Any, ...]]) -> dict[str, int]:
    """As they stood last, with the changes since then undone and the levels set by people in force."""
    counts = Counter(last)
    for before, after, n in [*((before, after, -n) for before, after, n in since), *lasting]:
        counts[before] -= n
        counts[after] += n
    return {standing: counts[standing] for standing in STANDINGS}
