"""What pages over everybody look for is found by an index: who is new, on trial, or out of service, and which plans and trades there are."""

from django.db import migrations
from django.db.models import Index, Q
from django.db.models.functions import Coalesce

from success.migrating import beside, with_index


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("success", "0024_push_schedule")]
    operations = beside(
        *with_index("supplier", Index(Coalesce("created_at", "first_seen_at"), name="supplier_known_since")),
        *with_index("supplier", Index(fields=["trial_ends_at"], condition=Q(status="trial"), name="supplier_on_trial")),
        *with_index(
            "supplier", Index(fields=["status", "internal", "owner"], condition=Q(internal=True) | Q(status__in=["cancelled", "paused"]), name="supplier_out")
        ),
        *with_index("supplier", Index(fields=["plan"], name="supplier_plan")),
        *with_index("supplier", Index(fields=["vertical"], name="supplier_vertical")),
    )
