"""The list of suppliers: found by name, mail or id, filtered, exported, and handed over."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import OuterRef, QuerySet, Subquery, Value
from django.db.models.expressions import RawSQL
from django.http import HttpRequest, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from config.console import custom, listing
from config.console.board_filters import BOARD
from config.console.export import as_file
from config.console.filters import (
    FROM,
    LevelFilter,
    OwnerFilter,
    PlanFilter,
    RenewalFilter,
    SegmentFilter,
    SignsFilter,
    StageFilter,
    StatusFilter,
    TradeFilter,
    TrialFilter,
)
from config.console.forms import Person
from config.console.pages import page
from config.console.portfolio_filters import LINKED
from config.console.templatetags.words import amount, day, money, person, words
from health.effective import LEVEL
from health.models import Override
from success import clock, suppliers
from success.admin.suppliers import SupplierAdmin, stage_of
from success.colleagues import called
from success.models import Snooze, Supplier
from success.models.suppliers import Status

MARKS: Any = {"set_until": Override, "snoozed_until": Snooze}  # what stands beneath a line, while it lasts


class HandOverForm(forms.Form):
    owner = Person(label="To", required=False, empty_label="nobody")


@admin.register(Supplier)
class SupplierList(SupplierAdmin):
    """A line each; the name leads to her page and from there back to this list as it was filtered."""

    list_display = ["called", "level", "trend", "stage_now", "plan", "money", "owner_name", "last_active"]
    list_display_links = None
    list_filter: Any = [
        SignsFilter, LevelFilter, StageFilter, OwnerFilter, TrialFilter, RenewalFilter, PlanFilter, TradeFilter, StatusFilter, SegmentFilter, *LINKED, *BOARD
    ]  # fmt: skip
    list_filter_submit = True
    list_max_show_all = 0
    show_facets = admin.ShowFacets.NEVER  # each would be another pass over the suppliers
    change_list_template = "console/suppliers.html"
    list_select_related = ["facts", "owner", "assessment"]
    actions = ["hand_over", "export"]
    ordering = ["pk"]

    @admin.display(description="name", ordering="external_id")
    def called(self, supplier: Supplier) -> SafeString:
        url = reverse("console:supplier", args=[supplier.pk])
        came_from = urlencode({"from": getattr(supplier, "came_from", "")})
        asleep = getattr(supplier, "snoozed_until", None)
        beneath = format_html('<span class="cs-quiet cs-beneath">snoozed until {}</span>', day(asleep)) if asleep else ""
        return format_html('<a class="cs-name" href="{}?{}">{}</a>{}', url, came_from, person(supplier), beneath)

    @admin.display(description="level", ordering="assessment__score")
    def level(self, supplier: Supplier) -> SafeString:
        level = getattr(supplier, "effective_level", None)
        score = supplier.assessment.score if hasattr(supplier, "assessment") else None
        shown = "" if score is None else amount(score, 1)
        by_hand = (
            format_html('<span class="cs-quiet cs-beneath">set by hand until {}</span>', day(until))
            if level and (until := getattr(supplier, "set_until", None))
            else ""
        )
        return format_html('<span class="cs-level cs-{}">{} {}</span>{}', level or "none", words(level) if level else "no score", shown, by_hand)

    @admin.display(description="90 days")
    def trend(self, supplier: Supplier) -> str:
        return getattr(supplier, "trend_drawn", "")

    @admin.display(description="stage")
    def stage_now(self, supplier: Supplier) -> SafeString | str:
        """With the day the trial ends or, soon, the term."""
        stage = stage_of(supplier)
        if supplier.status == Status.TRIAL and supplier.trial_ends_at:
            ends = "ends" if supplier.trial_ends_at > clock.now() else "ended"
            return format_html('{} <span class="cs-quiet cs-beneath">trial {} {}</span>', words(stage), ends, day(supplier.trial_ends_at))
        if stage == "at_end":
            return format_html('{} <span class="cs-quiet cs-beneath">renews {}</span>', words(stage), day(supplier.renews_at))
        return words(stage)

    @admin.display(description="MRR", ordering="mrr")
    def money(self, supplier: Supplier) -> str:
        return "" if supplier.mrr is None else f"{money(supplier.mrr)} {supplier.currency}"

    @admin.display(description="owner", ordering="owner__username")
    def owner_name(self, supplier: Supplier) -> str:
        return called(supplier.owner) if supplier.owner else "nobody"

    @admin.display(description="last activity", ordering="facts__last_activity_at")
    def last_active(self, supplier: Supplier) -> str:
        return day(supplier.facts.last_activity_at)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[listing.SupplierChangeList]:
        return listing.SupplierChangeList

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        return [*self.list_filter, *custom.filters()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponseBase:
        """The form of the filters sends empty what nobody chose: the address is to say what was."""
        empty = {name for name, value in request.GET.items() if name in listing.parameters() and not value}
        if empty and request.method == "GET":
            return HttpResponseRedirect(listing.link({name: value for name, value in request.GET.dict().items() if name not in empty}))
        shown: HttpResponseBase = super().changelist_view(request, {"title": "Suppliers", **(extra_context or {})})
        return shown

    def get_queryset(self, request: HttpRequest) -> Any:
        at = clock.now()
        level = RawSQL(f"(select {LEVEL} {FROM} where s.id = success_supplier.id)".replace("%(at)s", "%s"), [at])  # noqa: S611
        until = {name: Subquery(model.objects.filter(supplier=OuterRef("pk"), ended_at=None, until__gt=at).values("until")) for name, model in MARKS.items()}
        return super().get_queryset(request).annotate(effective_level=level, came_from=Value(request.get_full_path()), **until)

    @admin.action(description="Hand over", permissions=["change"])
    def hand_over(self, request: HttpRequest, queryset: QuerySet[Any]) -> TemplateResponse | None:
        """First says whose these are and how many; then they are the new owner's."""
        form = HandOverForm(request.POST if "owner" in request.POST else None, label_suffix="", initial={"owner": request.user.pk})
        if not form.is_valid():
            chosen = request.POST.getlist("_selected_action")
            across = request.POST.get("select_across", "0")
            return page(
                request,
                "hand_over",
                title="Hand over",
                form=form,
                count=queryset.count(),
                some=[person(one) for one in queryset[:5]],
                chosen=chosen,
                across=across,
            )
        to: User | None = form.cleaned_data["owner"]
        moved = suppliers.hand_over_all(list(queryset.values_list("pk", flat=True)), to=to, at=clock.now())
        messages.success(request, f"{moved} suppliers are now {called(to) if to else 'nobody'}'s.")
        return None

    @admin.action(description="Export as CSV")
    def export(self, request: HttpRequest, queryset: QuerySet[Any]) -> StreamingHttpResponse:
        """All that is filtered or chosen, as a spreadsheet takes it."""
        return as_file(queryset)
