"""Runs of scheduled jobs."""

from django.db import models


class RunState(models.TextChoices):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class JobRun(models.Model):
    """One slot of a job's schedule, run once however many beats tick. A dead worker's slot is taken over when its lease ends."""

    job = models.CharField(max_length=80)
    slot = models.DateTimeField()
    state = models.CharField(max_length=8, choices=RunState.choices, default=RunState.RUNNING)
    started_at = models.DateTimeField()
    leased_until = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=1)
    counts = models.JSONField(default=dict)
    failures = models.JSONField(default=list, help_text="of single suppliers, with the reason")
    error = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "slot"], name="jobrun_slot_once")]

    def __str__(self) -> str:
        return f"{self.job} {self.slot:%Y-%m-%d %H:%M:%S}"
