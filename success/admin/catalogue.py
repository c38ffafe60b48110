"""The event catalogue."""

from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.postgres.fields import ArrayField
from django.db import transaction
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminTextInputWidget

from success import books, catalogue, clock
from success.admin.base import ModelAdmin, ReadOnlyAdmin
from success.models import EventName, Feature, TraitUse
from success.models.activity import Meaning

KEPT = (
    "Of an event's properties only these are kept, and of those only numbers, yes or no, and short texts without an address. "
    "Write their names with commas between. A change holds for what arrives from now on: what was not kept is gone, and what was kept stays."
)


class EventNameForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic when it runs
    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        if found.get("meaning") == Meaning.FEATURE and not found.get("feature"):
            self.add_error("feature", "Choose the feature that is used when this happens.")
        elif found.get("meaning") != Meaning.FEATURE and found.get("feature"):
            self.add_error("feature", "Only an event that means “used a feature” has one: choose that meaning, or no feature.")
        return found


class EventNameAdmin(ModelAdmin):
    """A changed meaning counts from the first event on: facts are derived again. The console, which can say what would change, registers it."""

    form = EventNameForm
    formfield_overrides = {ArrayField: {"widget": UnfoldAdminTextInputWidget}}
    list_display = ["name", "meaning", "feature", "week", "ever", "suppliers", "last_seen", "kept_words"]
    list_filter = ["meaning"]
    list_select_related = ["feature", "total"]
    search_fields = ["name", "description"]
    show_full_result_count = False
    ordering = ["name"]
    fieldsets = [
        (None, {"fields": ["name", "meaning", "feature", "description"]}),
        ("Properties that are kept", {"fields": ["kept"], "description": KEPT}),
    ]

    def get_list_display(self, request: HttpRequest) -> list[str]:
        """Counts are everybody's: not for who keeps to their own book."""
        return [name for name in self.list_display if not books.limited(request.user) or name not in ("week", "ever", "suppliers")]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["name"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: EventName, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if {"meaning", "feature"} & set(form.changed_data):
            # In transactions of its own, and so after this one. Cut off in between, `reconcile_facts --fix` does the same.
            transaction.on_commit(partial(catalogue.change_meaning, name=obj.name, meaning=obj.meaning, feature=obj.feature, at=clock.now()))
        catalogue.forget()

    @admin.display(description="last 7 days", ordering="total__week")
    def week(self, event: EventName) -> str:
        return f"{event.total.week:,}" if hasattr(event, "total") else "not counted yet"

    @admin.display(description="ever", ordering="total__ever")
    def ever(self, event: EventName) -> str:
        return f"{event.total.ever:,}" if hasattr(event, "total") else ""

    @admin.display(description="suppliers", ordering="total__suppliers")
    def suppliers(self, event: EventName) -> str:
        return f"{event.total.suppliers:,}" if hasattr(event, "total") else ""

    @admin.display(description="last seen", ordering="total__last_at", empty_value="never")
    def last_seen(self, event: EventName) -> Any:
        return event.total.last_at if hasattr(event, "total") else None

    @admin.display(description="kept of it", ordering="kept")
    def kept_words(self, event: EventName) -> str:
        return ", ".join(event.kept) or "nothing"


@admin.register(Feature)
class FeatureAdmin(ModelAdmin):
    list_display = ["key", "name", "bit"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["bit"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(TraitUse)
class TraitUseAdmin(ReadOnlyAdmin):
    list_display = ["name", "n"]
    search_fields = ["name"]
    ordering = ["name"]
