"""A day's snapshot says how she stood before where the day changed it, a row how she stands since; and who may see all of it at once."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("health", "0006_schedule"), ("success", "0011_upload_schedule")]
    operations = [
        migrations.AlterModelOptions(
            "assessment",
            {"permissions": [("view_portfolio", "Can see the portfolio: levels, movement and money of many suppliers at once")], "verbose_name": "score"},
        ),
        migrations.AddField(
            "snapshot",
            "stood_before",
            models.CharField(max_length=8, null=True, help_text="how she stood before, where this day changed it: a level, none (no score) or ended"),
        ),
        migrations.CreateModel(
            "Standing",
            [
                ("supplier", models.OneToOneField("success.Supplier", django.db.models.deletion.CASCADE, primary_key=True, related_name="+", serialize=False)),
                ("standing", models.CharField(max_length=8, help_text="a level, none (no score) or ended (out of service, or not known yet)")),
            ],
        ),
    ]
