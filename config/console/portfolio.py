"""The page for who leads: levels over time, movement between them, and who has which. Every number leads to the suppliers it counts.

Who has which takes a pass of its own: the page comes without, and asks for it as its `fragment`; with `whole` it has all at once.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone

from config.console import bars
from config.console.bars import Bar, Part
from config.console.filters import NOT_SAID
from config.console.pages import console, page
from config.console.portfolio_filters import ANY
from config.console.templatetags.words import day, words
from config.console.today import Whose
from health import portfolio as book
from health import worklist
from health.portfolio import ENDED, STANDINGS, Movement, Point
from health.shares import Share, shares
from success import books, clock
from success.colleagues import called
from success.models import Supplier

WEEKS = {4: "4 weeks", 13: "13 weeks", 26: "26 weeks"}  # of the first chart
DAYS = {7: "1 week", 28: "4 weeks", 91: "13 weeks"}  # back to what movement is from
BY = {"owner": "owner", "plan": "plan", "vertical": "trade", "signed_up": "sign-up month"}
UNASKED = {"weeks": 13, "days": 28, "by": "owner"}
MOST = 24  # values told apart
Cell = Part | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What the page is about: whose suppliers, over what time, told apart by what."""

    whose: Whose
    weeks: int
    days: int
    by: str
    zone: str
    at: datetime
    list_url: str

    def listed(self, **narrowed: str) -> str:
        """The list of the suppliers of whom this holds, too."""
        return f"{self.list_url}?{urlencode(({'owner': self.whose.key} if self.whose.key else {}) | narrowed)}"

    def part(self, css: str, n: int, title: str, **narrowed: str) -> Part:
        return Part(css, n, f"{title}: {n}", self.listed(**narrowed))


@console("health.view_portfolio")
def portfolio(request: HttpRequest) -> HttpResponseBase:
    """The book of everyone, of one owner, or of nobody, in pictures; with `fragment` only who has which."""
    at, owners = clock.now(), owners_of(request)
    whose = next((one for one in owners if one.key == request.GET.get("whose")), owners[0])
    weeks, days, by = (chosen(request, name, choices) for name, choices in (("weeks", WEEKS), ("days", DAYS), ("by", BY)))
    asked = Asked(whose, weeks, days, by, timezone.get_current_timezone_name(), at, reverse("admin:success_supplier_changelist"))
    left_out = [asked.part(kind, n, kind, **{"signs" if kind == "internal" else "status": kind}) for kind, n in worklist.left_out(**whose.asked).items()]
    about: dict[str, Any] = {"asked": asked, "by": BY, "by_title": BY[asked.by], "standings": STANDINGS, "left_out": left_out}
    if "fragment" in request.GET:
        return page(request, "portfolio_by", title="Portfolio", **about, **apart(asked))
    whole: dict[str, Any] = {"whole": True, **apart(asked)} if "whole" in request.GET else {}
    since = max(at.date() - timedelta(days=asked.days), book.known_from() or date.min)
    found = book.movement(since=since, **whose.asked, at=at)
    choices = {"owners": owners, "weeks": WEEKS, "days": DAYS}
    return page(request, "portfolio", title="Portfolio", **about, **choices, **whole, **over_time(asked, found), **movement(asked, found.moves, since))


def chosen(request: HttpRequest, name: str, choices: Iterable[Any]) -> Any:
    return next((one for one in choices if str(one) == request.GET.get(name)), UNASKED[name])


def owners_of(request: HttpRequest) -> list[Whose]:
    """Whose suppliers this person may look at, all together first. The keys are those of the list's own filter."""
    if books.limited(request.user):
        return [Whose("mine", "My own", owner=request.user.pk)]
    owners = get_user_model().objects.filter(Exists(Supplier.objects.filter(owner=OuterRef("pk")))).order_by("first_name", "last_name", "username")
    return [Whose("", "Everyone's"), *(Whose(user.username, called(user), owner=user.pk) for user in owners), Whose("none", "Nobody's", unassigned=True)]


# ---------------------------------------------------------------- levels over time


def over_time(asked: Asked, found: Movement) -> dict[str, Any]:
    """A bar for each week and one for now, and the same as a table, the latest first."""
    past = book.weeks(found.last, n=asked.weeks, **asked.whose.asked, at=asked.at)
    now = {standing: sum(n for (_, stands), n in found.moves.items() if stands == standing) for standing in STANDINGS}
    lines = [week(asked, point) for point in past] + [(Bar("now", parts(asked, now)), everyone(asked, sum(now.values())))]
    chart = bars.standing([bar for bar, _ in lines], f"Suppliers by level, each week since {day(past[0].day)}" if past else "Suppliers by level now")
    known = past[0].day if past and len(past) < asked.weeks else None
    change = [(one, now[one] - past[0].counts[one]) for one in book.LEVELS] if past else []
    told = {"known": known, "change": change, "change_since": past[0].day if past else None, "at_risk": largest_first(found.at_risk)}
    return {"now": lines[-1][0], "levels_chart": chart, "levels_table": lines[::-1], **told}


def largest_first(sums: Mapping[str, float]) -> dict[str, float]:
    """Money by currency."""
    return dict(sorted(sums.items(), key=lambda item: -item[1]))


def week(asked: Asked, point: Point) -> tuple[Bar, Part]:
    title = day(point.day)
    bar = Bar(title, [asked.part(one, n, f"{title}, {named(one)}", was=f"{one}@{point.day}") for one, n in point.counts.items()])
    return bar, everyone(asked, bar.total, was=f"{ANY}@{point.day}")


def parts(asked: Asked, counts: dict[str, int], title: str = "now", **narrowed: str) -> list[Part]:
    """Of those in service now, by level."""
    return [asked.part(one, n, f"{title}, {named(one)}", **narrowed, level=one) for one, n in counts.items()]


def everyone(asked: Asked, n: int, **narrowed: str) -> Part:
    return asked.part(ANY, n, "all", **narrowed)


def named(standing: str) -> str:
    return "no score" if standing == "none" else words(standing)


# ---------------------------------------------------------------- movement


def movement(asked: Asked, moves: Counter[tuple[str, str]], since: date) -> dict[str, Any]:
    """From how they stood that day, a line each, to how they stand now, and what that comes to."""
    lines = [(before, [cell(asked, before, now, moves.get((before, now), 0), since) for now in (*STANDINGS, ENDED)]) for before in (*STANDINGS, ENDED)]
    sums = {"fell": "fell", "rose": "rose", f"{ENDED}.{ANY}": "new or back", f"{ANY}.{ENDED}": "left"}
    summary = [asked.part(words, total(moves, move), words, moved=f"{move}@{since}") for move, words in sums.items()]
    outside = asked.part(ENDED, moves.get((ENDED, ENDED), 0), "out of service then and now", moved=f"{ENDED}.{ENDED}@{since}")
    return {"since": since, "moves": lines, "moved": summary, "outside": outside}


def kind(before: str, now: str) -> str:
    """What a move is called in all."""
    if before == now:
        return "stayed"
    if ENDED in (before, now):
        return f"{ENDED}.{ANY}" if before == ENDED else f"{ANY}.{ENDED}"
    if "none" in (before, now):
        return "other"
    return "fell" if book.LEVELS.index(now) < book.LEVELS.index(before) else "rose"


def total(moves: Counter[tuple[str, str]], move: str) -> int:
    return sum(n for (before, now), n in moves.items() if kind(before, now) == move)


def cell(asked: Asked, before: str, now: str, n: int, since: date) -> Cell:
    """None where nobody can be: out of service on both days is left out."""
    if before == now == ENDED:
        return None
    return asked.part(kind(before, now), n, f"{named(before)} to {named(now)}", moved=f"{before}.{now}@{since}")


# ---------------------------------------------------------------- told apart


def apart(asked: Asked) -> dict[str, Any]:
    """A bar for each owner, plan, vertical or month, with money and the middle score; what does not fit is counted together."""
    found = shares(by=asked.by, zone=asked.zone, **asked.whose.asked, at=asked.at)
    people = get_user_model().objects.in_bulk([share.value for share in found if share.value]) if asked.by == "owner" else {}
    shown, most = found[:MOST], max([share.total for share in found], default=1)
    return {"shares": [row(asked, share, people, most) for share in shown], "more": len(found) - len(shown), "in_more": sum(one.total for one in found[MOST:])}


def row(asked: Asked, share: Share, people: dict[int, User], most: int) -> dict[str, Any]:
    title, key = labelled(asked.by, share.value, people)
    narrowed = {asked.by: key}
    bar = Bar(title, parts(asked, share.counts, title, **narrowed))
    worse = round(100 * (share.counts["critical"] + share.counts["at_risk"]) / share.total) if share.total else 0
    money = {"worse": worse, "mrr": largest_first(share.mrr), "at_risk": largest_first(share.at_risk), "median": share.median}
    return {"title": title, "bar": bars.lying(bar, most), "parts": bar.parts, "all": everyone(asked, share.total, **narrowed), **money}


def labelled(by: str, value: Any, people: dict[int, User]) -> tuple[str, str]:
    """A value in words, and as the list's filter takes it."""
    match by:
        case "owner":
            return (called(people[value]), people[value].username) if value else ("nobody", "none")
        case "signed_up":
            return f"{value:%b %Y}", f"{value:%Y-%m}"
    return value or "not said", value or NOT_SAID
