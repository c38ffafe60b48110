"""What one can do about a supplier from any list: a form each."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from health.overrides import USUAL
from success.colleagues import called
from success.models.work import Channel, Outcome


class Words(forms.CharField):
    """Text of several lines."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=4000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}), **kwargs)


class Day(forms.DateField):
    """A day from today on."""

    def __init__(self, *, after_today: bool = False, **kwargs: Any) -> None:
        self.after_today = after_today
        super().__init__(widget=forms.DateInput(attrs={"type": "date", "class": "cs-input"}, format="%Y-%m-%d"), **kwargs)

    def validate(self, value: Any) -> None:
        super().validate(value)
        first = timezone.localdate() + timedelta(days=self.after_today)
        if value and value < first:
            raise forms.ValidationError("Choose tomorrow or a later day." if self.after_today else "Choose today or a later day.")


class Person(forms.ModelChoiceField):  # type: ignore[type-arg]  # not generic when it runs
    """One of us, by name."""

    def __init__(self, people: "QuerySet[User] | None" = None, **kwargs: Any) -> None:
        everybody = User.objects.filter(is_active=True, is_staff=True).order_by("first_name", "last_name", "username")
        super().__init__(everybody if people is None else people, widget=UnfoldAdminSelectWidget, **kwargs)

    def label_from_instance(self, user: Any) -> str:
        return called(user)


class NoteForm(forms.Form):
    text = Words(label="Note")


class TouchpointForm(forms.Form):
    channel = forms.ChoiceField(choices=Channel.choices, widget=UnfoldAdminSelectWidget, label="How")
    outcome = forms.ChoiceField(choices=Outcome.choices, widget=UnfoldAdminSelectWidget, label="What came of it")
    text = Words(label="What was said", required=False)


class TaskForm(forms.Form):
    title = forms.CharField(max_length=200, widget=UnfoldAdminTextInputWidget, label="To do")
    due_on = Day(label="Due", initial=lambda: timezone.localdate() + timedelta(days=1))
    assignee = Person(label="For", empty_label=None)


class OverrideForm(forms.Form):
    level = forms.ChoiceField(choices=[("critical", "critical"), ("at_risk", "at risk"), ("healthy", "healthy")], widget=UnfoldAdminSelectWidget, label="Level")
    reason = forms.CharField(max_length=200, widget=UnfoldAdminTextInputWidget, label="Because")
    until = Day(label="Until (at most 90 days)", after_today=True, initial=lambda: timezone.localdate() + USUAL)


class SnoozeForm(forms.Form):
    until = Day(label="Until", after_today=True, initial=lambda: timezone.localdate() + timedelta(days=7))
    reason = forms.CharField(max_length=200, widget=UnfoldAdminTextInputWidget(attrs={"list": "snooze-reasons"}), label="Because")
