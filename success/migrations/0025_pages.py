"""What pages over everybody look for is found by an index: who is new, on trial, or out of service. Without a transaction: no table is locked meanwhile."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q
from django.db.models.functions import Coalesce

INDEXES = (
    models.Index(Coalesce("created_at", "first_seen_at"), name="supplier_known_since"),
    models.Index(fields=["trial_ends_at"], condition=Q(status="trial"), name="supplier_on_trial"),
    models.Index(fields=["status", "internal", "owner"], condition=Q(internal=True) | Q(status__in=["cancelled", "paused"]), name="supplier_out"),
)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("success", "0024_push_schedule")]
    operations = [
        *(migrations.RunSQL(f"drop index concurrently if exists {index.name}", migrations.RunSQL.noop) for index in INDEXES),  # one that was cut off
        *(AddIndexConcurrently("supplier", index) for index in INDEXES),
    ]
