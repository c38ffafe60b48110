"""Ways to narrow the list of suppliers that the portfolio links to. Each stands in the list's panel, in words, while it is used."""

from collections.abc import Callable, Collection
from datetime import date, datetime
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import HttpRequest

from config.console.filters import Choice, found_by
from config.console.templatetags.words import day, words
from config.console.zone import start_of
from health import portfolio
from health.worklist import WORST
from success import clock

ANY = "any"  # in service, however she stands
NAMES = {"none": "no score", ANY: "in service"}
Condition = Callable[[str, str], str]
MOVES = {"fell": f"{WORST.format('stands')} < {WORST.format('stood')}", "rose": f"{WORST.format('stands')} > {WORST.format('stood')}"}


class Linked(Choice):
    """Offered while it is used; what it cannot read is refused as Django refuses what it cannot."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        value = self.value()
        return [] if value is None else [(value, self.in_words(value))]

    def has_output(self) -> bool:
        return self.value() is not None

    def sentence(self) -> str:
        return self.in_words(self.value() or "")

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset if value is None else self.narrowed(queryset, value)

    def in_words(self, value: str) -> str:
        raise NotImplementedError

    def narrowed(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        raise NotImplementedError


class SignedUpFilter(Linked):
    """`2026-09`: known since a day of that month."""

    title, parameter_name = "sign-up", "signed_up"

    def in_words(self, value: str) -> str:
        return f"{month(value)[0]:%B %Y}"

    def narrowed(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        first, end = month(value)
        return queryset.filter(facts__known_since__gte=first, facts__known_since__lt=end)


class StoodFilter(Linked):
    """`critical@2026-10-05`: how she stood at the end of that day."""

    title, parameter_name = "level on a day", "was"

    def in_words(self, value: str) -> str:
        stood, on = parted(value)
        return f"{named(stood)} on {day(on)}"

    def narrowed(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        stood, on = parted(value)
        return found_by(queryset, *portfolio.moved(is_("stood", stood), since=on, at=clock.now()))


class MovedFilter(Linked):
    """`healthy.at_risk@2026-10-31`: from how she stood at the end of that day to how she stands now; also `fell@..` and `rose@..`."""

    title, parameter_name = "movement", "moved"

    def in_words(self, value: str) -> str:
        move, on = parted(value)
        match move.split("."):
            case ["fell" | "rose"]:
                return f"{move} since {day(on)}"
            case [portfolio.ENDED, portfolio.ENDED]:
                return f"out of service on {day(on)} and now"
            case [portfolio.ENDED, now]:
                return f"new or back since {day(on)}" + ("" if now == ANY else f", {named(now)} now")
            case [stood, portfolio.ENDED]:
                return f"left since {day(on)}" + ("" if stood == ANY else f", {named(stood)} then")
            case [stood, now]:
                return f"{named(stood)} on {day(on)}, {named(now)} now"
        raise IncorrectLookupParameters

    def narrowed(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        move, on = parted(value)
        stood, _, now = move.partition(".")
        condition = MOVES.get(move) or f"{is_('stood', stood)} and {is_('stands', now)}"
        if move in MOVES or now in portfolio.LEVELS:
            return found_by(queryset.in_service(), *portfolio.moved_to_a_level(condition, since=on, at=clock.now()))  # type: ignore[attr-defined]
        return found_by(queryset, *portfolio.moved(condition, since=on, at=clock.now()))


LINKED = (SignedUpFilter, StoodFilter, MovedFilter)


# ---------------------------------------------------------------- reading what an address says


def known(key: str, choices: Collection[str]) -> str:
    if key not in choices:
        raise IncorrectLookupParameters
    return key


def named(standing: str) -> str:
    return NAMES.get(standing) or words(known(standing, portfolio.STANDINGS))


def is_(column: str, standing: str) -> str:
    """A condition: she stands so, or in any way but out of service."""
    return f"{column} <> '{portfolio.ENDED}'" if standing == ANY else f"{column} = '{known(standing, (*portfolio.STANDINGS, portfolio.ENDED))}'"


def parted(value: str) -> tuple[str, date]:
    what, _, on = value.partition("@")
    try:
        return what, date.fromisoformat(on)
    except ValueError:
        raise IncorrectLookupParameters from None


def month(value: str) -> tuple[datetime, datetime]:
    """The first instant of a month and of the next, for the reader."""
    try:
        first = date.fromisoformat(f"{value}-01")
        following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    except ValueError:
        raise IncorrectLookupParameters from None
    return start_of(first), start_of(following)
