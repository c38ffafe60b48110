"""Playbooks as data, and what came of them: runs and decisions, which nobody edits."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from interventions import plans, playbooks
from interventions.models import Decision, Intervention, Playbook, Step
from success import clock, conditions, facts
from success.admin.base import ModelAdmin, OfSuppliers, ReadOnlyAdmin


class PlaybookForm(forms.ModelForm):  # type: ignore[type-arg]
    """What cannot be read is said beside its field."""

    def clean_condition(self) -> Any:
        return readable(self.cleaned_data["condition"])

    def clean_goal(self) -> Any:
        return readable(self.cleaned_data["goal"])

    def clean_steps(self) -> Any:
        try:
            plans.read(self.cleaned_data["steps"])
        except plans.Invalid as error:
            raise ValidationError(f"Step {error.place + 1}: {error}") from None
        return self.cleaned_data["steps"]


def readable(condition: Any) -> Any:
    try:
        facts.condition(condition)
    except conditions.Invalid as error:
        raise ValidationError(str(error)) from None
    return condition


@admin.register(Playbook)
class PlaybookAdmin(ModelAdmin):
    """A change is a new version; runs keep the steps they began with. The switch is on the playbook's own page."""

    form = PlaybookForm
    list_display = ["name", "key", "version", "switched_on_at"]
    fields = ["key", "name", "about", "condition", "goal", "steps", "again_after", "lasts", "first_day"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["key"] if obj else []

    def save_model(self, request: HttpRequest, obj: Playbook, form: Any, change: bool) -> None:
        if change:
            playbooks.change(obj, at=clock.now())
        else:
            obj.changed_at = clock.now()
            obj.save()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Intervention)
class InterventionAdmin(OfSuppliers, ReadOnlyAdmin):
    list_display = ["supplier", "playbook", "episode", "started_at", "ended", "ended_at"]
    list_filter = ["playbook", "ended"]
    list_select_related = ["supplier", "playbook"]
    ordering = ["-pk"]


@admin.register(Decision)
class DecisionAdmin(OfSuppliers, ReadOnlyAdmin):
    list_display = ["at", "supplier", "playbook", "outcome", "gate", "next_possible_at"]
    list_filter = ["playbook", "outcome", "gate"]
    list_select_related = ["supplier", "playbook"]
    ordering = ["-pk"]


@admin.register(Step)
class StepAdmin(OfSuppliers, ReadOnlyAdmin):
    list_display = ["supplier", "intervention", "place", "state", "due_at", "error"]
    list_filter = ["state"]
    list_select_related = ["supplier", "intervention"]
    ordering = ["-pk"]
