"""What was announced and not seen is found by when it was announced."""

from django.db import migrations
from django.db.models import Index, Q

from success.migrating import beside, with_index

UNSEEN = Q(("digested_at", None), ("revoked_at", None), ("seen_at", None), ("silent", False))


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("milestones", "0008_unseen")]
    operations = beside(*with_index("achievement", Index(condition=UNSEEN, fields=["announced_at"], name="achievement_unseen")))
