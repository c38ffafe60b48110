"""Who has which: suppliers in service as they stand now, told apart by owner, plan, vertical or month of sign-up."""

from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

from health.effective import AT_RISK, STANDS
from health.portfolio import ENDED, NOW, STANDINGS, whose
from success import db
from success.stages import KNOWN_SINCE

BY = {
    "owner": "s.owner_id",
    "plan": "s.plan",
    "vertical": "s.vertical",
    "signed_up": f"width_bucket({KNOWN_SINCE}, %(months)s::timestamptz[])",  # a search among their beginnings: to truncate each instant takes twice as long
}


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
            if standing in AT_RISK:
                self.at_risk[currency] = self.at_risk.get(currency, 0) + mrr


def shares(*, by: str, zone: str, owner: int | None = None, unassigned: bool = False, at: datetime) -> list[Share]:
    """Told apart by one of `BY`; the largest comes first, of months the latest."""
    found, months = dict[Any, Share](), beginnings(zone, at=at)
    for value, stands, currency, score, n, mrr in db.rows(shares_sql(by, whose(owner, unassigned)), {"owner": owner, "at": at, "months": months}):
        if stands != ENDED:
            told = months[max(value, 1) - 1].date() if by == "signed_up" else value
            found.setdefault(told, Share(told)).add(stands, score, n, mrr, currency)
    first = (lambda share: -share.value.toordinal()) if by == "signed_up" else (lambda share: (-share.total, str(share.value)))
    return sorted(found.values(), key=first)


def shares_sql(by: str, owned: str) -> str:
    return f"select {BY[by]}, {STANDS}, s.currency, round(a.score * 10)::integer, count(*), sum(s.mrr) from {NOW} where {owned} group by 1, 2, 3, 4"


def beginnings(zone: str, *, at: datetime) -> list[datetime]:
    """Of the months in this time zone, from the first that any event may be of to past that of `at`."""
    here = ZoneInfo(zone)
    return [datetime(year, month, 1, tzinfo=here) for year in range(2000, at.year + 2) for month in range(1, 13)]
