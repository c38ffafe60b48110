"""Rewards, and what was reached and given, as plain lists. The console, which can say who would gain from a changed definition, registers the milestones."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from milestones import definitions, wording
from milestones.board import MOST
from milestones.models import Achievement, Fault, Grant, Milestone, Reward
from milestones.requirements import Invalid, parse
from success.admin.base import ModelAdmin, OfSuppliers, ReadOnlyAdmin

FORMS = (
    'One of {"count": "clients", "at_least": 25}, {"count": "event:Form Completed", "at_least": 3}, {"feature": "forms_created"}, {"features": 4}, '
    '{"streak": "weeks", "at_least": 4} (or days), {"held": "healthy", "days": 30}, {"profile": ["name", "email"]}, '
    '{"where": {"fact": "score", "is": "at_least", "value": 80}} (a condition as segments have); or {"all": [..]} or {"any": [..]} of these.'
)


class MilestoneForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic when it runs
    def clean_requirement(self) -> Any:
        said = self.cleaned_data["requirement"]
        try:
            definitions.check(parse(said))
        except (Invalid, definitions.UnknownFeature) as error:
            raise forms.ValidationError(str(error)) from None
        return said

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        if found.get("after") == self.instance and self.instance.pk:
            self.add_error("after", "A milestone does not come after itself.")
        if {"words", "requirement"} <= found.keys() and (fault := wording.fault(found["words"], parse(found["requirement"]))):
            self.add_error("words", fault)
        others = Milestone.objects.filter(active=True).exclude(pk=self.instance.pk).count()
        if found.get("active") and others >= MOST:
            self.add_error("active", f"At most {MOST} milestones can be reached at a time. Switch another off first.")
        return found


class MilestoneAdmin(ModelAdmin):
    """What there is to reach. Rows outlive their use: who has one keeps it."""

    form = MilestoneForm
    list_display = ["place", "name", "takes", "segment", "after", "due_days", "reward", "active"]
    list_display_links = ["name"]
    list_filter = ["active", "segment"]
    list_select_related = ["after", "reward", "segment"]
    search_fields = ["key", "name"]
    ordering = ["place"]
    fieldsets = [
        (None, {"fields": ["key", "name", "words", "icon", "opens_next", "celebration"]}),
        ("What it takes", {"fields": ["requirement", "segment", "after", "tier", "due_days"], "description": FORMS}),
        ("What it brings, and where it stands", {"fields": ["reward", "place", "active"]}),
    ]

    @admin.display(description="takes")
    def takes(self, milestone: Milestone) -> str:
        return definitions.in_words(parse(milestone.requirement))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["key"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Milestone, form: Any, change: bool) -> None:
        definitions.define(obj)


@admin.register(Reward)
class RewardAdmin(ModelAdmin):
    list_display = ["name", "kind", "value", "unit", "budget", "most", "expires_days", "active"]
    list_filter = ["kind", "active"]
    ordering = ["name"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["key"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Achievement)
class AchievementAdmin(OfSuppliers, ReadOnlyAdmin):
    list_display = ["supplier", "milestone", "achieved_at", "known_at", "silent", "announced_at", "seen_at", "revoked_at"]
    list_filter = ["milestone", "silent", ("revoked_at", admin.EmptyFieldListFilter)]
    search_fields = ["supplier__external_id", "supplier__contacts__name"]
    search_help_text = "Name or id of the supplier"
    ordering = ["-pk"]
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("supplier", "milestone")


@admin.register(Grant)
class GrantAdmin(OfSuppliers, ReadOnlyAdmin):
    """The ledger of rewards, row by row."""

    list_display = ["supplier", "reward", "value", "state", "at", "expires_at", "redeemed_at", "ended_at"]
    list_filter = ["state", "reward"]
    list_select_related = ["supplier", "reward"]
    search_fields = ["supplier__external_id", "supplier__contacts__name"]
    search_help_text = "Name or id of the supplier"
    ordering = ["-pk"]
    list_per_page = 50


@admin.register(Fault)
class FaultAdmin(ReadOnlyAdmin):
    list_display = ["at", "sqlstate", "error"]
    ordering = ["-pk"]
