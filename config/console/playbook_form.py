"""A playbook as data: whom it is for, its steps and its goal. A change is a new version; the switch is on the playbook's own page."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from config.console.conditions import ConditionField
from interventions import plans, playbooks
from interventions.models import Playbook
from success import clock
from success.admin.base import ModelAdmin
from success.models import MessageTemplate
from success.models.notifications import Category


class StepsWidget(forms.Textarea):
    """The steps as JSON, which a script shows as rows; without it, or where they cannot be read, they are kept as they are."""

    class Media:
        js = ("console/rows.js", "console/steps.js")

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        mails = MessageTemplate.objects.exclude(category=Category.STAFF).exclude(subject="").order_by("key").values_list("key", flat=True)
        about = {"templates": [(key, key.replace("_", " ")) for key in mails], "categories": [one for one in Category.choices if one[0] in plans.CATEGORIES]}
        return render_to_string("console/steps.html", {"name": name, "value": value or "", "id": (attrs or {}).get("id", name), "about": about})


class PlaybookForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic when it runs
    condition = ConditionField(label="Who qualifies")
    goal = ConditionField(label="What ends it: she got there")

    class Meta:
        model = Playbook
        fields = ["key", "name", "about", "condition", "goal", "steps", "again_after", "lasts", "first_day"]
        widgets: ClassVar = {"steps": StepsWidget}

    def clean_steps(self) -> Any:
        try:
            plans.read(self.cleaned_data["steps"])
        except plans.Invalid as error:
            raise ValidationError(f"Step {error.place + 1}: {error}") from None
        return self.cleaned_data["steps"]


@admin.register(Playbook)
class PlaybookAdmin(ModelAdmin):
    """Runs keep the steps they began with."""

    form = PlaybookForm
    list_display = ["name", "key", "version", "switched_on_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["key"] if obj else []

    def save_model(self, request: HttpRequest, obj: Playbook, form: Any, change: bool) -> None:
        playbooks.save(obj, at=clock.now())

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
