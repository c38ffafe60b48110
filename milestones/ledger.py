"""The rewards in sums: what was given of each, beside what may be; what ends soon; and what waits for somebody."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Count, Q, QuerySet, Sum

from milestones.models import SPENDING, Grant, GrantState, Reward
from success import books

SOON = timedelta(days=14)
MOST = 50


@dataclass(frozen=True, slots=True)
class Line:
    """One reward: how often it was granted and the sum that counts against its budget, and how many stand how."""

    reward: Reward
    n: int
    total: float
    states: dict[str, int]

    @property
    def used(self) -> int | None:
        """Percent of the limit that is nearer."""
        shares = [self.total / self.reward.budget] if self.reward.budget else []
        shares += [self.n / self.reward.most] if self.reward.most else []
        return round(100 * max(shares)) if shares else None


def lines(user: User | AnonymousUser) -> list[Line]:
    """Every reward with what this person may see of it."""
    seen = books.visible(Grant.objects.all(), user, path="supplier__").filter(reward__isnull=False).values("reward").order_by()
    counts = {state: Count("pk", filter=Q(state=state)) for state in GrantState.values}
    spent = Sum("value", filter=Q(state__in=SPENDING))
    found: dict[int, dict[str, Any]] = {row["reward"]: row for row in seen.annotate(**counts, total=spent)}
    return [line(reward, found.get(reward.pk, {})) for reward in Reward.objects.order_by("-active", "name")]


def line(reward: Reward, row: dict[str, Any]) -> Line:
    states = {state: row[state] for state in GrantState.values if row.get(state)}
    return Line(reward, sum(states.get(state, 0) for state in SPENDING), row.get("total") or 0.0, states)


def of(user: User | AnonymousUser) -> QuerySet[Grant]:
    found = books.visible(Grant.objects.all(), user, path="supplier__")
    return found.select_related("reward", "supplier", "task__assignee", "achievement__milestone").prefetch_related("supplier__contacts")


def expiring(user: User | AnonymousUser, *, at: datetime) -> QuerySet[Grant]:
    """Hers to redeem, and soon no longer."""
    return of(user).filter(state=GrantState.GRANTED, expires_at__range=(at, at + SOON)).order_by("expires_at")[:MOST]


def waiting(user: User | AnonymousUser) -> QuerySet[Grant]:
    """On its way: another system or one of us has to say that it is done."""
    return of(user).filter(state=GrantState.PENDING).order_by("at")[:MOST]
