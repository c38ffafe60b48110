"""Kinds of suppliers that others refer to by name."""

from django.db import models
from django.db.models import Q

from success.models.history import remembered


@remembered("key", "name", "condition", ends=True)
class Segment(models.Model):
    """The suppliers for whom a condition holds, whoever they are at the moment."""

    key = models.SlugField(max_length=40, unique=True, help_text="by which the API and other definitions know it; it stays")
    name = models.CharField(max_length=80)
    condition = models.JSONField()

    class Meta:
        constraints = [models.CheckConstraint(condition=~Q(key="") & ~Q(name=""), name="segment_has_a_key_and_a_name")]

    def __str__(self) -> str:
        return self.name
