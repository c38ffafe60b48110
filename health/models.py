"""What health knows of each supplier: the score as it stands, and as it stood at the end of each day."""

from datetime import timedelta
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models


class InputsMixin(models.Model):
    """The facts a score was made from, as they were."""

    last_sign_in_at = models.DateTimeField(null=True)
    features = models.BigIntegerField(default=0)
    clients_active = models.IntegerField(default=0)
    clients_total = models.IntegerField(default=0)
    forms_started = models.IntegerField(default=0)
    forms_completed = models.IntegerField(default=0)
    steps_started = models.IntegerField(default=0)
    steps_completed = models.IntegerField(default=0)

    class Meta:
        abstract = True


class ResultMixin(models.Model):
    """A score: null, and so the level, while the status is not `ok`."""

    status = models.CharField(max_length=17)
    score = models.FloatField(null=True)
    level = models.CharField(max_length=8, null=True)
    points = ArrayField(models.FloatField(), null=True, help_text="of each component, in the scorecard's order")

    class Meta:
        abstract = True


class AssessmentQuerySet(models.QuerySet["Assessment"]):
    def in_service(self) -> Self:
        """Of suppliers neither cancelled, nor paused, nor internal."""
        return self.exclude(status="ended")


class Assessment(ResultMixin, InputsMixin):
    """The score of a supplier as the last scoring found it."""

    supplier = models.OneToOneField("success.Supplier", models.CASCADE, primary_key=True, related_name="assessment")
    scorecard = models.CharField(max_length=40)
    version = models.PositiveIntegerField()
    changed_at = models.DateTimeField(help_text="when score, status or inputs last changed")
    level_since = models.DateTimeField(null=True)
    level_before = models.CharField(max_length=8, null=True)
    declining = models.BooleanField(default=False, db_default=False)
    stood = models.CharField(
        max_length=8, default="ended", db_default="ended",
        help_text="how she stood when the last day was closed: a level, none (no score) or ended (out of service, or not known yet); turns lead back from there",
    )  # fmt: skip

    objects = AssessmentQuerySet.as_manager()

    class Meta:
        verbose_name = "score"
        permissions = [("view_portfolio", "Can see the portfolio: levels, movement and money of many suppliers at once")]
        indexes = [models.Index(fields=["level"], name="assessment_level"), models.Index(fields=["level_since"], name="assessment_level_since")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status="ok", score__isnull=False) | ~models.Q(status="ok") & models.Q(score=None, level=None),
                name="assessment_score_when_ok",
            )
        ]

    def __str__(self) -> str:
        return f"{self.supplier}: {self.level or self.status}"


class Snapshot(ResultMixin, InputsMixin):
    """The score as of the last instant of a UTC day; a day without a row is as the day before."""

    pk = models.CompositePrimaryKey("supplier_id", "day")
    supplier = models.ForeignKey("success.Supplier", models.CASCADE, db_index=False, related_name="snapshots")
    day = models.DateField()
    scorecard = models.CharField(max_length=40)
    version = models.PositiveIntegerField()
    by_time = ArrayField(models.FloatField(), null=True, help_text="points moved since the row before by passing time, of each component")
    by_activity = ArrayField(models.FloatField(), null=True, help_text="points moved by what happened")
    stood_before = models.CharField(max_length=8, null=True, help_text="how she stood before, where this day changed it: a level, none (no score) or ended")

    class Meta:
        indexes = [
            models.Index(fields=["day"], name="snapshot_day"),
            # The few days that changed how somebody stands: back over months all levels are read from these alone, in the order in which they are counted.
            models.Index(
                fields=["day", "stood_before", "status", "level"], include=["supplier"], condition=models.Q(stood_before__isnull=False), name="snapshot_turned"
            ),
        ]


class Override(models.Model):
    """A level set by a person for a while; the rows are their own history."""

    supplier = models.ForeignKey("success.Supplier", models.CASCADE, related_name="overrides", db_index=False)
    level = models.CharField(max_length=8)
    computed_level = models.CharField(max_length=8, help_text="at the time")
    reason = models.CharField(max_length=200)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    by_role = models.CharField(max_length=150)
    at = models.DateTimeField()
    until = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", help_text="empty when it ended by itself")

    class Meta:
        permissions = [("set_any_override", "Can set the level of any supplier")]
        indexes = [models.Index(fields=["supplier", "-at"], name="override_by_supplier")]
        constraints = [
            models.UniqueConstraint(fields=["supplier"], condition=models.Q(ended_at=None), name="override_one_at_a_time"),
            models.CheckConstraint(
                condition=models.Q(until__gt=models.F("at")) & models.Q(until__lte=models.F("at") + timedelta(days=90)), name="override_within_90_days"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.level}: {self.reason}"


class Closing(models.Model):
    """Days closed into snapshots for all suppliers, and how far that has come. A row is a day's end, or a backfill of several days."""

    first_day = models.DateField()
    last_day = models.DateField()
    through = models.BigIntegerField(default=0, help_text="closed for all suppliers up to this id")
    place = models.BigIntegerField(null=True, help_text="the id up to which a backfill under way has come")
    overwrite = models.BooleanField(default=False, help_text="whether that backfill writes over days closed before")
    failures = models.JSONField(default=dict, help_text="suppliers not closed, with the reason")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["first_day", "last_day"], name="closing_once"),
            models.CheckConstraint(condition=models.Q(first_day__lte=models.F("last_day")), name="closing_in_order"),
        ]
        indexes = [models.Index(fields=["last_day"], name="closing_last_day")]
