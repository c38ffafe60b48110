"""The board: how far suppliers are on the ladder of milestones, where they stall, and how long it takes them. Every number leads to the suppliers it counts.

How long it takes is a pass of its own: the page comes without, and asks for it as its `fragment`; with `whole` it has all at once.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone

from config.console import bars
from config.console.bars import Bar, Part
from config.console.pages import console, page
from config.console.portfolio import owners_of
from config.console.portfolio_filters import month
from config.console.today import Whose
from milestones import board as ladder
from milestones.board import Board, Level, Whom
from milestones.models import Milestone
from milestones.progress import STUCK_AFTER
from success import clock, db

FOR_SECONDS = 60  # what was counted is shown again
PATIENCE = "20s"


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose suppliers, and of which month of sign-up."""

    whose: Whose
    signed_up: str

    def listed(self, **narrowed: str) -> str:
        of = {"owner": self.whose.key} if self.whose.key else {}
        of |= {"signed_up": self.signed_up} if self.signed_up else {}
        return f"{reverse('admin:success_supplier_changelist')}?{urlencode(of | narrowed)}"


@console("milestones.view_board")
def board(request: HttpRequest) -> HttpResponseBase:
    """The ladder of everyone, of one owner, or of nobody; of all, or of those who signed up in one month. With `fragment` only how long it takes."""
    at, owners = clock.now(), owners_of(request)
    whose = next((one for one in owners if one.key == request.GET.get("whose")), owners[0])
    months = [(f"{first:%Y-%m}", f"{first:%B %Y}", n) for first, n in ladder.months(Whom(**whose.asked), zone=timezone.get_current_timezone_name())]
    signed_up = next((key for key, _, _ in months if key == request.GET.get("signed_up")), "")
    since, until = month(signed_up) if signed_up else (None, None)
    whom = Whom(**whose.asked, since=since, until=until)
    if "fragment" in request.GET:
        return page(request, "board_days", title="Milestones", rungs=durations(whom))
    asked = Asked(whose, signed_up)
    found: Board = remembered("board", whom, lambda: ladder.board(whom, at=at))
    rungs = [rung(asked, level, found.suppliers) for level in found.levels]
    everyone = Part("any", found.suppliers, f"all: {found.suppliers}", asked.listed())
    about = {"owners": owners, "months": months, "asked": asked, "everyone": everyone, "days": STUCK_AFTER.days, "top": found.top}
    whole = durations(whom) if "whole" in request.GET else None
    return page(request, "board", title="Milestones", rungs=rungs, stalls=worst(rungs), whole=whole, **about)


def durations(whom: Whom) -> list[tuple[Milestone, tuple[int, int, int] | None]]:
    """Each rung, and in how many days a quarter, half and three quarters of those who got there did."""
    took = remembered("days", whom, lambda: ladder.days(whom))
    return [(one, took.get(one.pk)) for one in Milestone.objects.ladder()]


def remembered(name: str, whom: Whom, count: Callable[[], Any]) -> Any:
    """What a pass over all that was reached finds, for a minute: of very many suppliers it takes seconds."""

    def patiently() -> Any:
        with patience():
            return count()

    return cache.get_or_set(f"{name}-{whom.owner}-{whom.unassigned}-{whom.since and whom.since.isoformat()}", patiently, FOR_SECONDS)


@contextmanager
def patience() -> Iterator[None]:
    """Within, a statement may take longer than a page's otherwise may."""
    with transaction.atomic():
        db.rows("select set_config('statement_timeout', %s, true)", [PATIENCE])
        yield


def rung(asked: Asked, level: Level, suppliers: int) -> dict[str, Any]:
    """One line of the funnel, as long as the share who reached it."""
    key, name = level.milestone.key, level.milestone.name
    reached = Part("healthy", level.reached, f"{name}, reached: {level.reached}", asked.listed(reached=key))
    waiting = Part("none", level.next, f"next is {name}: {level.next}", asked.listed(next_up=key))
    stalled = Part("at_risk", level.stalled, f"stalled before {name}: {level.stalled}", asked.listed(stalled=key))
    share = round(100 * level.reached / suppliers) if suppliers else 0
    bar = bars.lying(Bar(name, [reached]), max(suppliers, 1))
    return {"milestone": level.milestone, "bar": bar, "reached": reached, "next": waiting, "stalled": stalled, "share": share}


def worst(rungs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The three rungs before which most stall."""
    return sorted((one for one in rungs if one["stalled"].n), key=lambda one: -one["stalled"].n)[:3]
