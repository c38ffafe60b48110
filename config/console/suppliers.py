"""The list of suppliers: found by name, mail or id, filtered, exported, and handed over."""

import csv
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db.models import QuerySet, Value
from django.db.models.expressions import RawSQL
from django.http import HttpRequest, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminSelectWidget

from config.console.pages import page
from config.console.templatetags.words import words
from health.effective import LEVEL, OVERRIDDEN
from success import clock, suppliers
from success.admin.suppliers import SupplierAdmin, stage_of
from success.models import Supplier
from success.stages import STAGES, stage_sql

FROM = f"from success_supplier s join success_facts f on f.supplier_id = s.id left join health_assessment a on a.supplier_id = s.id {OVERRIDDEN}"
HEADINGS = (
    "id",
    "name",
    "mail",
    "status",
    "stage",
    "level",
    "score",
    "plan",
    "vertical",
    "mrr",
    "currency",
    "owner",
    "created_at",
    "trial_ends_at",
    "renews_at",
)


def where(queryset: QuerySet[Any], condition: str, *params: object) -> QuerySet[Any]:
    """Of suppliers those that a condition over the tables of the lists holds for; its instants are now."""
    sql = f"select s.id {FROM} where {condition}"
    at = clock.now()
    return queryset.filter(pk__in=RawSQL(sql.replace("%(at)s", "%s"), [*[at] * sql.count("%(at)s"), *params]))  # noqa: S611 - constants


class Choice(admin.SimpleListFilter):
    """A choice among keys that read as words."""

    keys: ClassVar[tuple[str, ...]] = ()

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(key, words(key)) for key in self.keys]


class LevelFilter(Choice):
    title, parameter_name, keys = "level", "level", ("critical", "at_risk", "healthy", "none")

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value == "none":
            return where(queryset, f"f.in_service and ({LEVEL}) is null")
        return where(queryset, f"({LEVEL}) = %s", value) if value else queryset


class StageFilter(Choice):
    title, parameter_name, keys = "stage", "stage", STAGES

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return where(queryset, f"{stage_sql('%(at)s')} = %s", self.value()) if self.value() else queryset


class OwnerFilter(admin.SimpleListFilter):
    title, parameter_name = "owner", "owner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        people = get_user_model().objects.filter(suppliers__isnull=False).distinct().order_by("username")
        return [("mine", "me"), ("none", "nobody"), *((user.username, user.get_full_name() or user.username) for user in people)]

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


class DecliningFilter(Choice):
    title, parameter_name, keys = "signs", "signs", ("declining", "left_out")

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "declining":
                return where(queryset, "f.in_service and a.declining")
            case "left_out":
                return where(queryset, "not f.in_service")
        return queryset


class HandOverForm(forms.Form):
    owner = forms.ModelChoiceField(
        get_user_model().objects.filter(is_active=True, is_staff=True).order_by("username"),
        required=False,
        widget=UnfoldAdminSelectWidget,
        empty_label="nobody",
    )


@admin.register(Supplier)
class SupplierList(SupplierAdmin):
    """A line each; the name leads to her page and from there back to this list as it was filtered."""

    list_display = ["called", "level", "stage_now", "plan", "money", "owner_name", "last_activity"]
    list_display_links = None
    list_filter: Any = [LevelFilter, StageFilter, OwnerFilter, DecliningFilter, "status", "plan", "vertical"]
    list_select_related = ["facts", "owner", "assessment"]
    actions = ["hand_over", "export"]
    ordering = ["pk"]

    @admin.display(description="name", ordering="external_id")
    def called(self, supplier: Supplier) -> SafeString:
        url = reverse("console:supplier", args=[supplier.pk])
        came_from = urlencode({"from": getattr(supplier, "came_from", "")})
        return format_html('<a class="cs-name" href="{}?{}">{}</a>', url, came_from, name_of(supplier) or supplier.external_id)

    @admin.display(description="level", ordering="assessment__score")
    def level(self, supplier: Supplier) -> SafeString:
        level = getattr(supplier, "effective_level", None)
        score = supplier.assessment.score if hasattr(supplier, "assessment") else None
        shown = "" if score is None else f"{score:.0f}"
        return format_html('<span class="cs-level cs-{}">{}</span> {}', level or "none", words(level) if level else "no score", shown)

    @admin.display(description="stage")
    def stage_now(self, supplier: Supplier) -> str:
        return words(stage_of(supplier))

    @admin.display(description="MRR", ordering="mrr")
    def money(self, supplier: Supplier) -> str:
        return "" if supplier.mrr is None else f"{supplier.mrr:,.0f} {supplier.currency}"

    @admin.display(description="owner", ordering="owner__username")
    def owner_name(self, supplier: Supplier) -> str:
        return (supplier.owner.get_full_name() or supplier.owner.get_username()) if supplier.owner else "nobody"

    def get_queryset(self, request: HttpRequest) -> Any:
        at = clock.now()
        level = RawSQL(f"(select {LEVEL} {FROM} where s.id = success_supplier.id)".replace("%(at)s", "%s"), [at])  # noqa: S611
        return super().get_queryset(request).annotate(effective_level=level, came_from=Value(request.get_full_path()))

    @admin.action(description="Hand over to ..", permissions=["change"])
    def hand_over(self, request: HttpRequest, queryset: QuerySet[Any]) -> TemplateResponse | None:
        """First says whose these are and how many; then they are the new owner's."""
        form = HandOverForm(request.POST if "owner" in request.POST else None)
        if not form.is_valid():
            chosen = request.POST.getlist("_selected_action")
            across = request.POST.get("select_across", "0")
            return page(request, "hand_over", title="Hand over", form=form, count=queryset.count(), chosen=chosen, across=across)
        to: User | None = form.cleaned_data["owner"]
        moved = suppliers.hand_over(list(queryset.values_list("pk", flat=True)), to=to, at=clock.now())
        messages.success(request, f"{moved} suppliers are now {to.get_full_name() or to.username if to else 'nobody'}'s.")
        return None

    @admin.action(description="Export as CSV")
    def export(self, request: HttpRequest, queryset: QuerySet[Any]) -> StreamingHttpResponse:
        """All that is filtered or chosen, as a spreadsheet takes it."""
        headers = {"Content-Disposition": 'attachment; filename="suppliers.csv"'}
        return StreamingHttpResponse(lines(queryset), content_type="text/csv; charset=utf-8", headers=headers)


def name_of(supplier: Supplier) -> str:
    people = sorted(supplier.contacts.all(), key=lambda person: not person.is_primary)
    return people[0].name if people else ""


class Echo:
    """What a CSV writer writes to, one line at a time."""

    def write(self, line: str) -> str:
        return line


def lines(queryset: QuerySet[Any]) -> Iterator[str]:
    writer = csv.writer(Echo())
    yield writer.writerow(HEADINGS)
    for supplier in queryset.select_related("facts", "owner", "assessment").prefetch_related("contacts").iterator(chunk_size=2000):
        yield writer.writerow(harmless(row(supplier)))


def row(supplier: Supplier) -> tuple[object, ...]:
    people = sorted(supplier.contacts.all(), key=lambda person: not person.is_primary)
    name, mail = (people[0].name, people[0].email) if people else ("", "")
    score = supplier.assessment.score if hasattr(supplier, "assessment") else None
    owner = supplier.owner.get_username() if supplier.owner else ""
    level, dates = getattr(supplier, "effective_level", None), (supplier.created_at, supplier.trial_ends_at, supplier.renews_at)
    about = (supplier.plan, supplier.vertical, supplier.mrr, supplier.currency, owner)
    return (supplier.external_id, name, mail, supplier.status, stage_of(supplier), level, score, *about, *(at and at.isoformat() for at in dates))


def harmless(values: Iterable[object]) -> list[object]:
    """Cells that a spreadsheet does not take for formulas (OWASP, CSV injection)."""
    return [f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else "" if value is None else value for value in values]
