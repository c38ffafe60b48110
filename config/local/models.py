"""What only a developer's machine keeps."""

from datetime import timedelta

from django.db import models
from django.db.models import Q


class Ahead(models.Model):
    """How far the clock of this stack is ahead of the world's; one row, and without it nothing."""

    by = models.DurationField(default=timedelta)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="ahead_one_row"),
            models.CheckConstraint(condition=Q(by__gte=timedelta(0)), name="ahead_never_behind"),
        ]

    def __str__(self) -> str:
        return f"{self.by} ahead"
