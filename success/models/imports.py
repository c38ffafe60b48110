"""Imports of activity from files, and how far each has come."""

from django.conf import settings
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


class Upload(models.Model):
    """A file of suppliers on its way in through the console. Its place moves on in the transaction of each chunk; its content goes when all is read."""

    name = models.CharField(max_length=200)
    source = models.ForeignKey("success.Source", models.PROTECT, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()
    content = models.BinaryField(null=True)
    size = models.IntegerField()
    columns = models.JSONField(default=dict, help_text="by trait, the column it is read from")
    place = models.IntegerField(default=0)
    line = models.IntegerField(default=0)
    created = models.IntegerField(default=0)
    changed = models.IntegerField(default=0)
    unchanged = models.IntegerField(default=0)
    refused = models.IntegerField(default=0)
    partly = models.IntegerField(default=0, db_default=0, help_text="taken but for a cell")
    rejects = models.TextField(blank=True, help_text="CSV: the lines that were not taken, or not wholly, with the reason")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(content=None) | Q(finished_at=None), name="upload_forgets_when_done")]

    def __str__(self) -> str:
        return self.name
