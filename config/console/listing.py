"""What stands above the list of suppliers: its views, what narrows it in words, and whom it leaves out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.views.main import ORDER_VAR, SEARCH_VAR
from django.contrib.auth.models import User
from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse
from unfold.views import ChangeList

from config.console import charts, custom
from config.console.actions import signed_in
from config.console.filters import SignsFilter
from health import history
from success import books, clock, saved_views
from success.colleagues import called
from success.models import SavedView, Supplier

TREND = timedelta(days=90)
LIST = "admin:success_supplier_changelist"
# Views that everybody has: name, and what its address says.
BUILT_IN = (
    ("My critical", {"level": "critical", "owner": "mine"}),
    ("Trials ending this week", {"trial": "7"}),
    ("Unassigned", {"owner": "none"}),
    ("Declining", {"signs": "declining"}),
)


# ---------------------------------------------------------------- a list as its address says it


def the_admin() -> Any:
    return admin.site.get_model_admin(Supplier)


def parameters() -> set[str]:
    """All that narrows or orders the list by its address."""
    filters = the_admin().list_filter
    return {SEARCH_VAR, ORDER_VAR, *(one.parameter_name for one in filters), *(custom.PREFIX + field for field in custom.fields())}


def asked(request: HttpRequest) -> dict[str, str]:
    """What a request asks of the list, and nothing else that its address may say."""
    known = parameters()
    return {name: value for name, value in request.GET.dict().items() if name in known and value}


def stored(query: Mapping[str, str]) -> dict[str, str]:
    """What is asked, to be kept: the order by the names of the columns, which outlive their places."""
    columns, kept = the_admin().list_display, dict(query)
    places = re.findall(r"(-?)(\d{1,3})", kept.pop(ORDER_VAR, ""))
    order = [f"{sign}{columns[int(place) - 1]}" for sign, place in places if 0 < int(place) <= len(columns)]
    return kept | ({ORDER_VAR: ".".join(order)} if order else {})


def restored(query: Mapping[str, str]) -> dict[str, str]:
    """What was kept, as the list is asked for it now. Columns and fields that are gone are passed over."""
    columns, known = list(the_admin().list_display), parameters()
    found = {name: value for name, value in query.items() if name in known}
    names = [(name[:1] == "-", name.removeprefix("-")) for name in found.pop(ORDER_VAR, "").split(".")]
    order = [f"{'-' * down}{columns.index(name) + 1}" for down, name in names if name in columns]
    return found | ({ORDER_VAR: ".".join(order)} if order else {})


def link(query: Mapping[str, str]) -> str:
    return f"{reverse(LIST)}{'?' if query else ''}{urlencode(sorted(query.items()))}"


# ---------------------------------------------------------------- views


@dataclass(frozen=True, slots=True)
class Tab:
    """A view as it stands above the list."""

    name: str
    link: str
    here: bool
    by: str = ""
    change: int | None = None  # the key of a view that the reader may change


def tabs(request: HttpRequest) -> list[Tab]:
    """All suppliers, the views everybody has, one's own, and those that others share."""
    here = asked(request)
    fixed = [(name, query) for name, query in BUILT_IN if not (books.limited(request.user) and query.get("owner") == "none")]
    found = [Tab(name, link(query), query == here) for name, query in (("All", {}), *fixed)]
    views = saved_views.open_to(signed_in(request)).select_related("owner").order_by("shared", "name", "pk")
    return found + [tab(view, here, request) for view in sorted(views, key=lambda view: view.owner_id != request.user.pk)]


def tab(view: SavedView, here: Mapping[str, str], request: HttpRequest) -> Tab:
    query, mine = restored(view.query), view.owner_id == request.user.pk
    change = view.pk if saved_views.may_change(view, signed_in(request)) else None
    by = "" if mine else called(view.owner)
    return Tab(view.name, link(query), query == here, by, change)


# ---------------------------------------------------------------- the list itself


@dataclass(frozen=True, slots=True)
class Narrowed:
    """One thing that narrows the list, in words, and the list without it."""

    words: str
    without: str


class SupplierChangeList(ChangeList):  # type: ignore[misc]
    """The list, with what stands above it, and each score's way over the last 90 days."""

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        self.request = request
        self.links: dict[str, str] = {}
        super().__init__(request, *args, **kwargs)

    def get_query_string(self, new_params: Any = None, remove: Any = None) -> str:
        """Each once: the columns' heads, with their links, are made again for every line."""
        key = repr((new_params, remove))
        if key not in self.links:
            self.links[key] = super().get_query_string(new_params, remove)
        return self.links[key]

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if request.method == "GET":
            self.result_list = with_trends(self.of_keys(list(self.result_list.values_list("pk", flat=True))))  # type: ignore[has-type]

    def of_keys(self, keys: list[int]) -> list[Supplier]:
        """In this order. The keys are found first: to put all rows in order with all their columns takes twice the time."""
        found = self.apply_select_related(self.root_queryset.filter(pk__in=keys)).in_bulk()
        return [found[key] for key in keys if key in found]

    @cached_property
    def asked(self) -> dict[str, str]:
        return asked(self.request)

    @cached_property
    def tabs(self) -> list[Tab]:
        return tabs(self.request)

    @property
    def here(self) -> Tab | None:
        return next((tab for tab in self.tabs if tab.here), None)

    @cached_property
    def narrowed(self) -> list[Narrowed]:
        """What narrows the list: `critical`, `Maya's`, `on trial ending within 7 days`."""
        found = [(spec.parameter_name, sentence(spec)) for spec in self.filter_specs if spec.value()]
        if self.query:
            found.append((SEARCH_VAR, f"found by “{self.query}”"))
        return [Narrowed(words, self.without(name)) for name, words in found]

    def without(self, name: str) -> str:
        return link({key: value for key, value in self.asked.items() if key != name})

    @property
    def book(self) -> str:
        """Where the book of the colleague whose suppliers these are is handed over, if the reader may."""
        name = self.asked.get("owner", "")
        if not self.request.user.has_perm("success.hand_over_colleague") or books.limited(self.request.user) or name in ("", "mine", "none"):
            return ""
        owner = User.objects.filter(username=name, is_staff=True).first()
        return reverse("console:book", args=[owner.pk]) if owner else ""

    @property
    def query_string(self) -> str:
        return urlencode(sorted(self.asked.items()))

    @cached_property
    def left_out(self) -> dict[str, int]:
        """How many the same filters and search would find that are out of service, by why."""
        signs = next(spec for spec in self.filter_specs if isinstance(spec, SignsFilter))
        if signs.value() or "level" in self.asked:  # who is out of service has no level, not even none
            return {}
        queryset = self.root_queryset
        for spec in self.filter_specs:
            queryset = queryset if spec is signs else spec.queryset(self.request, queryset)
        queryset, _ = self.model_admin.get_search_results(self.request, queryset, self.query)
        queryset = signs.left_out(self.request, queryset)
        kinds = dict[str, int]()
        for internal, status, n in (
            queryset.order_by().values_list("internal", "status").annotate(n=Count("pk", distinct=bool(self.query))).order_by("internal", "status")
        ):
            kind = "internal" if internal else status
            kinds[kind] = kinds.get(kind, 0) + n
        return kinds

    @property
    def those_left_out(self) -> str:
        return link(self.asked | {"signs": "left_out"})


def sentence(spec: Any) -> str:
    """How a filter reads; of one that cannot say it, its title and its choice."""
    if hasattr(spec, "sentence"):
        return str(spec.sentence())
    return f"{spec.title}: {dict(spec.lookup_choices).get(spec.value(), spec.value())}"


def with_trends(suppliers: list[Supplier]) -> list[Supplier]:
    """Each with its score over the last 90 days, drawn."""
    today = clock.now().date()
    first = today - TREND
    scores = history.scores_of([supplier.pk for supplier in suppliers], since=first)
    for supplier in suppliers:
        points = [(day, score) for day, score in scores[supplier.pk] if day < today]
        if hasattr(supplier, "assessment") and supplier.assessment.score is not None:
            points.append((today, supplier.assessment.score))
        supplier.trend_drawn = charts.sparkline(points, first=first, last=today)  # type: ignore[attr-defined]
    return suppliers
