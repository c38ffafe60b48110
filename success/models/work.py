"""What our own people do about a supplier: notes, touchpoints, tasks, and leaving her alone for a while."""

from datetime import datetime
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from success.models.history import remembered
from success.models.suppliers import Supplier

BY: dict[str, Any] = {"on_delete": models.PROTECT, "related_name": "+"}


class Note(models.Model):
    """What one of us wants the others to know of a supplier."""

    supplier = models.ForeignKey(Supplier, models.CASCADE, related_name="notes", db_index=False)
    text = models.TextField(max_length=4000)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, **BY)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["supplier", "-at"], name="note_by_supplier")]
        constraints = [models.CheckConstraint(condition=~Q(text=""), name="note_says_something")]

    def __str__(self) -> str:
        return self.text[:60]


class Channel(models.TextChoices):
    CALL = "call"
    MAIL = "mail"
    MEETING = "meeting"


class Outcome(models.TextChoices):
    REACHED = "reached", "reached her"
    NO_ANSWER = "no_answer", "no answer"
    MESSAGE_LEFT = "message_left", "left a message"
    BOOKED = "booked", "booked a next step"


class Touchpoint(models.Model):
    """One of us was in touch with a supplier, or tried."""

    supplier = models.ForeignKey(Supplier, models.CASCADE, related_name="touchpoints", db_index=False)
    channel = models.CharField(max_length=7, choices=Channel.choices)
    outcome = models.CharField(max_length=12, choices=Outcome.choices)
    text = models.TextField(max_length=4000, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, **BY)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["supplier", "-at"], name="touchpoint_by_supplier")]

    def __str__(self) -> str:
        return f"{self.get_channel_display()}: {self.get_outcome_display()}"


class TaskQuerySet(models.QuerySet["Task"]):
    def open(self) -> Self:
        """Neither done nor dropped."""
        return self.filter(ended_at=None)


@remembered("title", "due_on", "assignee")
class Task(models.Model):
    """Something to do about a supplier by a day; done, or dropped with a reason."""

    supplier = models.ForeignKey(Supplier, models.CASCADE, related_name="tasks", db_index=False)
    title = models.CharField(max_length=200)
    due_on = models.DateField()
    assignee = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="tasks", db_index=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, help_text="empty: a playbook", **BY)
    at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, **BY)
    dropped_because = models.CharField(max_length=200, blank=True)

    objects = TaskQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["supplier", "-at"], name="task_by_supplier"),
            models.Index(fields=["assignee", "due_on"], condition=Q(ended_at=None), name="task_open"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(ended_at=None, ended_by=None, dropped_because="") | Q(ended_at__isnull=False), name="task_ended_or_not")
        ]

    def __str__(self) -> str:
        return self.title


class SnoozeQuerySet(models.QuerySet["Snooze"]):
    def active(self, at: datetime) -> Self:
        return self.filter(ended_at=None, until__gt=at)


class Snooze(models.Model):
    """A supplier is left out of the lists of those who need somebody, until then."""

    supplier = models.ForeignKey(Supplier, models.CASCADE, related_name="snoozes", db_index=False)
    until = models.DateTimeField()
    reason = models.CharField(max_length=200)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, **BY)
    at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True, help_text="when somebody ended it before its time, or a later one took its place")

    objects = SnoozeQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["supplier", "-at"], name="snooze_by_supplier")]
        constraints = [
            models.UniqueConstraint(fields=["supplier"], condition=Q(ended_at=None), name="snooze_one_at_a_time"),
            models.CheckConstraint(condition=Q(until__gt=F("at")), name="snooze_ends_later"),
        ]

    def __str__(self) -> str:
        return self.reason
