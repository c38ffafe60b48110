"""Imports of activity from files, and how far each has come."""

from django.db import models
from django.db.models import Q


class Import(models.Model):
    """One reading of a file. Its place moves on in the transaction of each chunk, so that an import that was cut off takes up where it stopped."""

    source = models.ForeignKey("success.Source", models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64, help_text="of the file and of how its columns are read")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    place = models.BigIntegerField(default=0, help_text="in the unpacked file; 0 when it must be read from the start")
    line = models.BigIntegerField(default=0)
    rejects_size = models.BigIntegerField(default=0, help_text="bytes of the rejects file that belong to what was read")
    accepted = models.BigIntegerField(default=0)
    duplicates = models.BigIntegerField(default=0)
    refused = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "digest"], condition=Q(finished_at=None), name="import_open_once")]
