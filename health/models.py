"""What health knows of each supplier: the score as it stands, and as it stood at the end of each day."""

from typing import Self

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

    objects = AssessmentQuerySet.as_manager()

    class Meta:
        verbose_name = "score"
        indexes = [models.Index(fields=["level"], name="assessment_level")]
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

    class Meta:
        indexes = [models.Index(fields=["day"], name="snapshot_day")]


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
