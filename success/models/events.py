"""Things that happened and that others may care about."""

from django.db import models


class Event(models.Model):
    """One published event: ids and facts, never personal data. Written in the transaction that made it true."""

    name = models.CharField(max_length=80)
    supplier = models.ForeignKey("success.Supplier", models.CASCADE, null=True, related_name="+")
    at = models.DateTimeField()
    payload = models.JSONField()

    class Meta:
        indexes = [models.Index(fields=["supplier", "at"], name="event_by_supplier")]

    def __str__(self) -> str:
        return self.name
