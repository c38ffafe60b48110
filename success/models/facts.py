"""The one narrow row per supplier that scores, lists and conditions read."""

from django.db import models
from django.db.models import Q


class Facts(models.Model):
    """What is true of a supplier now. Written by triggers only; each counter that fades carries its own boundary."""

    supplier = models.OneToOneField("success.Supplier", models.CASCADE, primary_key=True, related_name="facts")
    known_since = models.DateTimeField(help_text="signed up, else first seen")
    in_service = models.BooleanField(help_text="neither cancelled, nor paused, nor internal")
    last_sign_in_at = models.DateTimeField(null=True)
    first_activity_at = models.DateTimeField(null=True)
    last_activity_at = models.DateTimeField(null=True)
    features = models.BigIntegerField(default=0, db_default=0)
    clients_total = models.IntegerField(default=0, db_default=0)
    clients_active = models.IntegerField(default=0, db_default=0, help_text="last active at or after clients_since")
    clients_since = models.DateTimeField()
    oldest_active_at = models.DateTimeField(null=True, help_text="no active client was last active before this; until then none fades")
    forms_started = models.IntegerField(default=0, db_default=0, help_text="on window_from or later")
    forms_completed = models.IntegerField(default=0, db_default=0)
    steps_started = models.IntegerField(default=0, db_default=0)
    steps_completed = models.IntegerField(default=0, db_default=0)
    window_from = models.DateField()
    dirty_at = models.DateTimeField(null=True, help_text="something changed that no score has seen yet")
    dirty_quiet = models.BooleanField(default=True, db_default=True, help_text="all that changed is history")

    class Meta:
        verbose_name_plural = "facts"
        indexes = [models.Index(fields=["dirty_at"], condition=Q(dirty_at__isnull=False), name="facts_dirty")]
