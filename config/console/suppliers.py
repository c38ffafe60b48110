"""The list of suppliers: found by name, mail or id, filtered, exported, and handed over."""

from typing import Any
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

from config.console.export import lines, name_of
from config.console.filters import FROM, DecliningFilter, LevelFilter, OwnerFilter, StageFilter
from config.console.pages import page
from config.console.templatetags.words import amount, words
from health.effective import LEVEL
from success import clock, suppliers
from success.admin.suppliers import SupplierAdmin, stage_of
from success.models import Supplier


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
        return "" if supplier.mrr is None else f"{amount(supplier.mrr)} {supplier.currency}"

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
