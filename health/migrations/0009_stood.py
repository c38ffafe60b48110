"""How a supplier stood when the last day was closed stands in her assessment: pages over everybody read that anyway."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("health", "0008_turns")]
    operations = [
        migrations.AddField(
            "assessment",
            "stood",
            models.CharField(
                max_length=8, default="ended", db_default="ended",
                help_text="how she stood when the last day was closed: a level, none (no score) or ended (out of service, or not known yet); turns lead back from there",
            ),
        )
    ]  # fmt: skip
