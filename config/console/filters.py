"""Ways to narrow the list of suppliers; their names stand in addresses, so that other pages link to a list."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.db.models.expressions import RawSQL
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from config.console.templatetags.words import words
from health import worklist
from health.effective import AT_LEVEL, LEVEL, OVERRIDDEN
from success import books, clock, segments
from success.colleagues import called
from success.conditions import Condition, Invalid
from success.models import Segment, Supplier
from success.models.suppliers import OUT_OF_SERVICE, Status
from success.stages import IN_SERVICE, STAGES, stage_sql

FROM = f"from success_supplier s left join health_assessment a on a.supplier_id = s.id {OVERRIDDEN}"
ALL = f"select s.id {FROM}"
ASSESSED = "select a.supplier_id from health_assessment a"  # where level is all that is asked
MOST = 50  # values of one filter
SEGMENT = "segment"
NOT_SAID = "-"  # of a value that nobody told


def where(queryset: QuerySet[Any], condition: str, value: str | None = None, *, among: str = ALL) -> QuerySet[Any]:
    """Of suppliers those that a condition over the tables of the lists holds for; its `at` is now, its `value` what was chosen."""
    return found_by(queryset, f"{among} where {condition}", {"at": clock.now(), "value": value})


def found_by(queryset: QuerySet[Any], sql: str, params: Mapping[str, object]) -> QuerySet[Any]:
    """Of suppliers those that a statement of ours finds."""
    names = re.findall(r"%\((\w+)\)s", sql)
    return queryset.filter(pk__in=RawSQL(re.sub(r"%\(\w+\)s", "%s", sql), [params[name] for name in names]))  # noqa: S611 - constants


def remembered(request: HttpRequest, name: str, find: Callable[[HttpRequest], Any]) -> Any:
    """What a filter offers this reader, found again after a minute: it takes a pass over all suppliers, and changes seldom."""
    owner = request.user.pk if books.limited(request.user) else "all"
    return cache.get_or_set(f"offered-{name}-{owner}", lambda: find(request), 60)


class FilterForm(forms.Form):
    """One filter in the sheet: a choice, or without choices something to type."""

    def __init__(self, *, name: str, label: str, choices: list[tuple[str, str]], value: str | None) -> None:
        super().__init__({name: value or ""}, auto_id="filter-%s", label_suffix="")
        self.fields[name] = (
            forms.ChoiceField(label=label, required=False, choices=choices, widget=UnfoldAdminSelectWidget)
            if choices
            else forms.CharField(label=label, required=False, widget=UnfoldAdminTextInputWidget)
        )


class Choice(admin.SimpleListFilter):
    """A choice among keys that read as words. `said` is how it reads above the list."""

    template = "console/filter.html"
    keys: ClassVar[tuple[str, ...]] = ()
    titles: ClassVar[Mapping[str, str]] = {}
    said = "{}"
    otherwise = "any"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(key, self.titles.get(key, words(key))) for key in self.keys]

    def has_output(self) -> bool:
        return True

    def choices(self, changelist: Any) -> Iterator[Any]:
        yield {"form": FilterForm(name=self.parameter_name or "", label=str(self.title).capitalize(), choices=self.offered(), value=self.value())}

    def offered(self) -> list[tuple[str, str]]:
        """What there is to choose, and what was asked for by address."""
        value, known = self.value(), self.known()
        asked = [(value, value)] if value and value not in known else []
        return [("", self.otherwise), *known.items(), *asked]

    def sentence(self) -> str:
        value = self.value() or ""
        return self.said.format(self.known().get(value, value))

    def known(self) -> dict[str, str]:
        return {key: str(title) for key, title in self.lookup_choices}


class LevelFilter(Choice):
    title, parameter_name, keys, titles = "level", "level", ("critical", "at_risk", "healthy", "none"), {"none": "no score"}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value == "none":
            return where(queryset, f"{IN_SERVICE} and ({LEVEL}) is null")
        return where(queryset, AT_LEVEL, value, among=ASSESSED) if value else queryset


class StageFilter(Choice):
    title, parameter_name, keys = "stage", "stage", STAGES

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return where(queryset, f"{stage_sql('%(at)s')} = %(value)s", self.value()) if self.value() else queryset


class OwnerFilter(Choice):
    title, parameter_name, said = "owner", "owner", "{}'s"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        if books.limited(request.user):
            return [("mine", "me")]
        owning = get_user_model().objects.filter(Exists(Supplier.objects.filter(owner=OuterRef("pk")))).order_by("first_name", "username")
        return [("mine", "me"), ("none", "nobody"), *((user.username, called(user)) for user in owning)]

    def sentence(self) -> str:
        return "mine" if self.value() == "mine" else super().sentence()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case None:
                return queryset
            case "mine":
                return queryset.filter(owner=request.user.pk)
            case "none":
                return queryset.filter(owner=None)
            case name:
                return queryset.filter(owner__username=name)


class StatusFilter(Choice):
    title, parameter_name, keys, said = "status", "status", tuple(Status.values), "status {}"
    titles = {"active": "active"}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(status=self.value()) if self.value() else queryset


def segment_asked(request: HttpRequest) -> Condition | None:
    """What the segment asks for that an address names."""
    segment = segments.of(request.GET.get(SEGMENT, ""))
    try:
        return segments.condition_of(segment) if segment else None
    except Invalid:
        return None


class SegmentFilter(Choice):
    title, parameter_name, said = "segment", SEGMENT, "in the segment {}"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(Segment.objects.order_by("name").values_list("key", "name"))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        asked = segment_asked(request)
        return found_by(queryset, *segments.matching(asked, at=clock.now())) if asked else queryset.none()


class SignsFilter(Choice):
    """Without it the list holds who is in service, and those out of service whom another filter asks for by name."""

    title, parameter_name, otherwise = "show", "signs", "all in service"
    keys = ("needing", "declining", "snoozed", "set_by_hand", "left_out", "internal", "everybody")
    titles = {"needing": "who need somebody", "set_by_hand": "level set by hand", "left_out": "cancelled, paused or internal", "everybody": "in service or not"}
    asked_for = (("status", (Status.CANCELLED, Status.PAUSED)), ("stage", ("lost",)))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "needing" | "snoozed" as which:
                return found_by(queryset, worklist.chosen(which), worklist.params(owner=None, unassigned=False, at=clock.now()))
            case "set_by_hand":
                return where(queryset, f"{IN_SERVICE} and a.level is not null and v.level is not null")
            case "declining":
                return where(queryset, f"{IN_SERVICE} and a.declining")
            case "left_out":
                return where(queryset, f"not {IN_SERVICE}")
            case "internal":
                return queryset.filter(internal=True)
            case "everybody":
                return queryset
        if self.of_the_past(request):
            return queryset
        return queryset.filter(internal=False) if self.by_name(request) else queryset.in_service()  # type: ignore[attr-defined]

    def left_out(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Whom the list does not hold where nobody says."""
        if self.of_the_past(request):
            return queryset.none()
        return queryset.filter(internal=True) if self.by_name(request) else queryset.filter(OUT_OF_SERVICE)

    def by_name(self, request: HttpRequest) -> bool:
        asked = segment_asked(request)
        return any(request.GET.get(name) in values for name, values in self.asked_for) or bool(asked and segments.asks_for_leavers(asked))

    def of_the_past(self, request: HttpRequest) -> bool:
        """Whether a filter asks how suppliers stood on a day: it says itself whether they were in service."""
        return any(name in request.GET for name in ("was", "moved"))


class Within(Choice):
    """A day that comes within so many days."""

    keys: ClassVar[tuple[str, ...]] = ("7", "14", "30")

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(key, f"within {key} days") for key in self.keys]

    def sentence(self) -> str:
        value = self.value() or ""
        return self.said.format(f"within {value} days") if value.isdecimal() else super().sentence()

    def range(self) -> tuple[Any, Any]:
        value, at = self.value() or "", clock.now()
        if not value.isdecimal() or len(value) > 3 or not int(value):
            raise IncorrectLookupParameters
        return at, at + timedelta(days=int(value))


class TrialFilter(Within):
    title, parameter_name, said = "trial ends", "trial", "on trial ending {}"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*super().lookups(request, model_admin), ("over", "is over, not decided")]

    def sentence(self) -> str:
        return "on a trial that is over" if self.value() == "over" else super().sentence()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "over":
            return queryset.filter(status=Status.TRIAL, trial_ends_at__lt=clock.now())
        return queryset.filter(status=Status.TRIAL, trial_ends_at__range=self.range()) if self.value() else queryset


class RenewalFilter(Within):
    title, parameter_name, said, keys = "renews", "renews", "renewing {}", ("7", "14", "30", "90")

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.exclude(status=Status.TRIAL).filter(renews_at__range=self.range()) if self.value() else queryset


class ValueFilter(Choice):
    """One of the values that the suppliers whom the reader may see have in a column, the most frequent first."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*((value, value) for value in remembered(request, str(self.parameter_name), self.frequent)), (NOT_SAID, "not said")]

    def frequent(self, request: HttpRequest) -> list[str]:
        name = str(self.parameter_name)
        seen = books.visible(Supplier.objects.exclude(**{name: ""}), request.user)
        return [value for value, _ in seen.values_list(name).annotate(n=Count("*")).order_by("-n", name)[:MOST]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = "" if self.value() == NOT_SAID else self.value()
        return queryset if value is None else queryset.filter(**{str(self.parameter_name): value})


class PlanFilter(ValueFilter):
    title, parameter_name, said = "plan", "plan", "on plan {}"


class TradeFilter(ValueFilter):
    title, parameter_name, said = "trade", "vertical", "trade {}"
