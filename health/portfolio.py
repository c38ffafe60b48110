"""The portfolio, for who leads: levels over time, movement between them, and who has which, by owner, plan, vertical or month of sign-up.

The past is read backwards from the last day closed (`Standing`), over the snapshots that changed how somebody stood (`Snapshot.stood_before`): a few for each
supplier and year, where snapshots are a few for each week. Counts kept by day would be smaller, but wrong: the owner, as in the lists behind every number, is
whoever it is now.
"""

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Min

from health.effective import IN_FORCE, OVERRIDDEN, STANDING, STANDS, STOOD, TURNED
from health.history import end_of
from health.models import Snapshot
from success import db
from success.stages import KNOWN_SINCE

LEVELS = ("critical", "at_risk", "healthy")
STANDINGS = (*LEVELS, "none")  # of suppliers in service
ENDED = "ended"
SUPPLIERS = f"""success_supplier s
    left join health_assessment a on a.supplier_id = s.id {OVERRIDDEN} {TURNED}"""
BY = {
    "owner": "s.owner_id",
    "plan": "s.plan",
    "vertical": "s.vertical",
    "signed_up": f"width_bucket({KNOWN_SINCE}, %(months)s::timestamptz[])",  # a search among their beginnings: to truncate each instant takes twice as long
}
Moves = dict[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class Point:
    """Suppliers in service by how they stood at the end of a day."""

    day: date
    counts: dict[str, int]


@dataclass(slots=True)
class Share:
    """Suppliers in service that have one value of what they are told apart by. Money is a month's, by currency."""

    value: Any
    scores: Counter[int] = field(default_factory=Counter)  # in tenths of a point
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STANDINGS, 0))
    mrr: dict[str, float] = field(default_factory=dict)
    at_risk: dict[str, float] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def median(self) -> float | None:
        """Of the scores, to a tenth of a point."""
        ordered = sorted(self.scores)
        so_far = list(accumulate(self.scores[score] for score in ordered))
        middle = [ordered[bisect_right(so_far, place)] for place in ((so_far[-1] - 1) // 2, so_far[-1] // 2)] if so_far else []
        return sum(middle) / 20 if middle else None

    def add(self, standing: str, score: int | None, n: int, mrr: float | None, currency: str) -> None:
        self.counts[standing] += n
        if score is not None:
            self.scores[score] += n
        if mrr:
            self.mrr[currency] = self.mrr.get(currency, 0) + mrr
            if standing in ("critical", "at_risk"):
                self.at_risk[currency] = self.at_risk.get(currency, 0) + mrr


def whose(owner: int | None, unassigned: bool) -> str:
    return "s.owner_id is null" if unassigned else "s.owner_id = %(owner)s" if owner else "true"


def known_from() -> date | None:
    """The first day of which it is known how suppliers stood."""
    first: date | None = Snapshot.objects.aggregate(first=Min("day"))["first"]
    return first


# ---------------------------------------------------------------- now, and as against a day


def reading(*, by: str, since: date, zone: str, owner: int | None = None, unassigned: bool = False, at: datetime) -> tuple[Moves, list[Share]]:
    """In one pass: from how suppliers stood at the end of a day to how they stand now, and those in service told apart by one of `BY`.

    `ended` is out of service, or not known yet. The largest share comes first, of months the latest.
    """
    moves, shares, months = Counter[tuple[str, str]](), dict[Any, Share](), beginnings(zone, at=at)
    params = {"owner": owner, "at": at, "day": since, "end": end_of(since), "months": months}
    for value, stood, stands, currency, score, n, mrr in db.rows(counted(by, whose(owner, unassigned)), params):
        moves[stood, stands] += n
        if stands != ENDED:
            told = months[max(value, 1) - 1].date() if by == "signed_up" else value
            shares.setdefault(told, Share(told)).add(stands, score, n, mrr, currency)
    first = (lambda share: -share.value.toordinal()) if by == "signed_up" else (lambda share: (-share.total, str(share.value)))
    return moves, sorted(shares.values(), key=first)


def beginnings(zone: str, *, at: datetime) -> list[datetime]:
    """Of the months in this time zone, from the first that any event may be of to past that of `at`."""
    here = ZoneInfo(zone)
    return [datetime(year, month, 1, tzinfo=here) for year in range(2000, at.year + 2) for month in range(1, 13)]


def counted(by: str, owned: str) -> str:
    return f"""select {BY[by]}, {STOOD}, {STANDS}, s.currency, round(a.score * 10)::integer, count(*), sum(s.mrr)
        from {SUPPLIERS} where {owned} group by 1, 2, 3, 4, 5"""


def moved(condition: str, *, since: date, at: datetime) -> tuple[str, dict[str, Any]]:
    """A statement that finds the suppliers whose `stood` and `stands` fulfil a condition, for those who list them."""
    sql = f"select id from (select s.id, {STOOD} as stood, {STANDS} as stands from {SUPPLIERS}) x where {condition}"
    return sql, {"at": at, "day": since, "end": end_of(since)}


# ---------------------------------------------------------------- over time


def weeks(*, n: int, owner: int | None = None, unassigned: bool = False, at: datetime) -> list[Point]:
    """How suppliers stood a week ago, two weeks ago, up to `n`, as far as it is known; oldest first."""
    first, today = known_from(), at.date()
    days = {back: today - timedelta(weeks=back) for back in range(n, 0, -1)}
    days = {back: day for back, day in days.items() if first and day >= first}
    if not days:
        return []
    owned = whose(owner, unassigned)
    params = {"owner": owner, "today": today, "days": [*days.values()], "ends": [end_of(day) for day in days.values()], "from": min(days.values())}
    last, turns, lasting = (db.rows(sql(owned), params) for sql in (stood_last, turned, overridden))
    return [
        Point(day, stood(dict(last), [row[1:] for row in turns if row[0] < back], [row[1:] for row in lasting if row[0] == day])) for back, day in days.items()
    ]


def of(owned: str, column: str) -> str:
    return "" if owned == "true" else f"join success_supplier s on s.id = {column} and {owned}"


def stood_last(owned: str) -> str:
    """How suppliers stood when the last day was closed, and how many."""
    return f"select g.standing, count(*) from health_standing g {of(owned, 'g.supplier_id')} group by 1"


def turned(owned: str) -> str:
    """By the number of whole weeks since then: from what to what suppliers changed, and how many."""
    return f"""select (%(today)s::date - h.day) / 7, h.stood_before, {STANDING}, count(*)
        from health_snapshot h {of(owned, "h.supplier_id")} where h.stood_before is not null and h.day > %(from)s group by 1, 2, 3"""


def overridden(owned: str) -> str:
    """By day: from the computed level to the one set by a person that was in force at its end, and how many."""
    return f"""select d.day, h.level, w.level, count(*) from unnest(%(days)s::date[], %(ends)s::timestamptz[]) as d (day, ended)
        join health_override w on {IN_FORCE.format(end="d.ended")} {of(owned, "w.supplier_id")}
        join lateral (select status, level from health_snapshot where supplier_id = w.supplier_id and day <= d.day order by day desc limit 1) h on h.status = 'ok'
        group by 1, 2, 3"""


def stood(last: dict[str, int], since: list[tuple[Any, ...]], lasting: list[tuple[Any, ...]]) -> dict[str, int]:
    """As they stood last, with the changes since then undone and the levels set by people in force."""
    counts = Counter(last)
    for before, after, n in [*((before, after, -n) for before, after, n in since), *lasting]:
        counts[before] -= n
        counts[after] += n
    return {standing: counts[standing] for standing in STANDINGS}
