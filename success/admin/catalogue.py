"""The event catalogue."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from success import catalogue, clock
from success.admin.base import ReadOnlyAdmin
from success.models import EventName, Feature, TraitUse


@admin.register(EventName)
class EventNameAdmin(ModelAdmin):
    """A changed meaning counts from the first event on: facts are derived again."""

    list_display = ["name", "meaning", "feature", "kept", "description"]
    list_filter = ["meaning"]
    search_fields = ["name"]
    ordering = ["name"]

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
