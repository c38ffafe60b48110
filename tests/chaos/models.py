"""What is done in the chaos, and what it leaves behind."""

from django.db import models

from success.models import Event
from success.models.due import DueRow


class Call(DueRow):
    """A call over the network."""

    class Meta(DueRow.Meta):
        constraints = [*DueRow.Meta.constraints]


class Told(models.Model):
    """A subscriber was told of an event: once for each row, and nothing keeps it from being twice."""

    event = models.ForeignKey(Event, models.CASCADE)
    subscriber = models.CharField(max_length=80)
    at = models.DateTimeField(auto_now_add=True)
