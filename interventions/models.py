"""Playbooks, each supplier's run of one, its steps, and the ledger of every decision."""

from datetime import timedelta
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from success.models import Supplier
from success.models.due import DueRow
from success.models.history import remembered

BY: dict[str, Any] = {"on_delete": models.PROTECT, "null": True, "blank": True, "related_name": "+"}


CAUSE = "intervention"  # what causes of messages begin with


class PlaybookQuerySet(models.QuerySet["Playbook"]):
    def on(self) -> Self:
        """Those that reach out by themselves."""
        return self.exclude(switched_on_at=None)


@remembered("name", "about", "condition", "goal", "steps", "again_after", "lasts", "first_day", "switched_on_at")
class Playbook(models.Model):
    """What is done about suppliers of whom a condition holds, step by step, until a goal is reached. Off until somebody switches it on."""

    key = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=80)
    about = models.CharField(max_length=300, blank=True, help_text="whom it is for, and what it is to bring about")
    condition = models.JSONField(help_text="who qualifies")
    goal = models.JSONField(help_text="what ends it: she got there")
    steps = models.JSONField(help_text="in order: what is done, and how many days after the one before")
    again_after = models.PositiveSmallIntegerField(default=90, help_text="days after its end until it may begin again for the same supplier")
    lasts = models.PositiveSmallIntegerField(default=30, help_text="days after which it ends, whatever came of it")
    first_day = models.PositiveIntegerField(null=True, blank=True, help_text="how many it may reach on its first day; empty takes the setting")
    version = models.PositiveIntegerField(default=1, editable=False)
    switched_on_at = models.DateTimeField(null=True, blank=True, editable=False)
    changed_at = models.DateTimeField(editable=False)

    objects = PlaybookQuerySet.as_manager()

    class Meta:
        permissions = [("switch_playbook", "Can switch playbooks on and off"), ("run_playbook", "Can start a playbook for a supplier")]
        constraints = [models.CheckConstraint(condition=Q(again_after__gte=1), name="playbook_pauses")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_on(self) -> bool:
        return self.switched_on_at is not None


class Ended(models.TextChoices):
    """Why a run is over."""

    GOAL = "goal", "she got there"
    MOVED = "moved", "she is active again"
    OVER = "over", "its time was over"
    STOPPED = "stopped", "stopped by one of us"
    LEFT = "left", "she is no longer in service"


class InterventionQuerySet(models.QuerySet["Intervention"]):
    def running(self) -> Self:
        return self.filter(ended_at=None)


class Intervention(models.Model):
    """One supplier's run of a playbook, with the steps as they stood when it began."""

    supplier = models.ForeignKey(Supplier, models.CASCADE, related_name="interventions", db_index=False)
    playbook = models.ForeignKey(Playbook, models.PROTECT, related_name="interventions")
    episode = models.PositiveSmallIntegerField(help_text="the first, second, .. run for this supplier")
    version = models.PositiveIntegerField()
    steps = models.JSONField()
    started_at = models.DateTimeField()
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, **BY)
    asked_key = models.CharField(max_length=200, blank=True, help_text="what was asked for once")
    overruled = models.CharField(max_length=200, blank=True, help_text="why one of us sent it against a gate")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended = models.CharField(max_length=7, choices=Ended.choices, blank=True)

    objects = InterventionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["supplier", "playbook", "episode"], name="intervention_once"),
            models.UniqueConstraint(fields=["supplier", "playbook"], condition=Q(ended_at=None), name="intervention_one_at_a_time"),
            models.UniqueConstraint(fields=["supplier", "playbook", "asked_key"], condition=~Q(asked_key=""), name="intervention_asked_once"),
            models.CheckConstraint(condition=Q(ended_at=None, ended="") | Q(ended_at__isnull=False) & ~Q(ended=""), name="intervention_ended_for_a_reason"),
        ]
        indexes = [models.Index(fields=["started_at"], condition=Q(ended_at=None), name="intervention_running")]

    def __str__(self) -> str:
        return f"{self.playbook_id} for {self.supplier_id}, {self.episode}"

    @property
    def cause(self) -> str:
        """What its messages name as their cause: gone, when it ends."""
        return f"{CAUSE}:{self.pk}"

    @property
    def over_at(self) -> Any:
        return self.started_at + timedelta(days=self.playbook.lasts)


class Step(DueRow):
    """One step of a run, due at an instant."""

    intervention = models.ForeignKey(Intervention, models.CASCADE, related_name="due_steps", editable=False)
    place = models.PositiveSmallIntegerField(editable=False)

    class Meta(DueRow.Meta):
        constraints = [*DueRow.Meta.constraints, models.UniqueConstraint(fields=["intervention", "place"], name="step_once")]

    def __str__(self) -> str:
        return f"{self.intervention.playbook}, step {self.place + 1}"


class Outcome(models.TextChoices):
    """What came of a decision. `deferred` is on its way or waits; `skipped` was not to be."""

    SENT = "sent"
    HELD_OUT = "held_out"
    DEFERRED = "deferred"
    SKIPPED = "skipped"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Decision(models.Model):
    """Whether a supplier who qualified was reached, and if not, why; with her health at that moment. Never deleted."""

    supplier = models.ForeignKey(Supplier, models.CASCADE, related_name="decisions", db_index=False)
    playbook = models.ForeignKey(Playbook, models.PROTECT, related_name="decisions")
    intervention = models.ForeignKey(Intervention, models.CASCADE, null=True, blank=True, related_name="decisions")
    version = models.PositiveIntegerField()
    at = models.DateTimeField()
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    gate = models.CharField(max_length=20, blank=True, help_text="the first that failed")
    gates = models.JSONField(default=list, help_text="all that were asked: key, whether it held, and why not")
    next_possible_at = models.DateTimeField(null=True, blank=True)
    health = models.JSONField(default=dict, help_text="score, level and parts at that moment")
    message = models.CharField(max_length=80, blank=True, help_text="the key of the message, or what was done instead")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, **BY)
    key = models.CharField(max_length=200, help_text="what is decided once")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["supplier", "playbook", "key"], name="decision_once"),
            models.CheckConstraint(condition=Q(outcome__in=Outcome.values), name="decision_outcome_is_known"),
        ]
        indexes = [
            models.Index(fields=["supplier", "-at"], name="decision_by_supplier"),
            models.Index(fields=["playbook", "-at"], name="decision_by_playbook"),
            models.Index(fields=["message"], condition=~Q(message=""), name="decision_by_message"),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} {self.gate}".strip()
