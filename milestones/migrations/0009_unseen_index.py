"""What was announced and not seen is found by when it was announced."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("milestones", "0008_unseen")]
    operations = [
        AddIndexConcurrently(
            model_name="achievement",
            index=models.Index(
                condition=models.Q(("digested_at", None), ("revoked_at", None), ("seen_at", None), ("silent", False)),
                fields=["announced_at"],
                name="achievement_unseen",
            ),
        ),
    ]
