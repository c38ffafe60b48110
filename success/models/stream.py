"""What is said to a supplier's open pages."""

from django.db import models
from django.db.models import Q


class Push(models.Model):
    """One thing said to a supplier's pages while they are open; one that waits is said to every page opened until it is settled.

    `place` is its turn in the stream, and what a page resumes from: given by the one dispatcher, so in the order in which transactions committed.
    """

    supplier = models.ForeignKey("success.Supplier", models.CASCADE, related_name="+", db_index=False)
    event = models.CharField(max_length=20, help_text="celebration, notification or coach")
    key = models.CharField(max_length=200, unique=True)
    data = models.JSONField(default=dict)
    at = models.DateTimeField(help_text="not said before")
    waits = models.BooleanField(default=False, help_text="said to each page that opens, until it is settled")
    settled_at = models.DateTimeField(null=True)
    place = models.BigIntegerField(null=True, unique=True)

    class Meta:
        verbose_name_plural = "pushes"
        indexes = [
            models.Index(fields=["at", "id"], condition=Q(place=None), name="push_to_be_dispatched"),
            models.Index(fields=["supplier", "place"], name="push_by_supplier"),
            models.Index(fields=["supplier"], condition=Q(waits=True, settled_at=None), name="push_waiting"),
        ]

    def __str__(self) -> str:
        return self.key
