"""Things that happened and that others may care about, and who was told."""

from django.db import models

from success.models.due import DueRow


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


class Delivery(DueRow):
    """One event on its way to one subscriber: each fails, is tried again and replayed alone."""

    event = models.ForeignKey(Event, models.CASCADE, related_name="deliveries", editable=False)
    subscriber = models.CharField(max_length=80, editable=False)

    class Meta(DueRow.Meta):
        verbose_name_plural = "deliveries"
        constraints = [*DueRow.Meta.constraints, models.UniqueConstraint(fields=["event", "subscriber"], name="delivery_once")]

    def __str__(self) -> str:
        return f"{self.subscriber}: {self.event_id}"
