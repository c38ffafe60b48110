"""How far the closing of days into snapshots has come."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("health", "0002_schedule")]
    operations = [
        migrations.CreateModel(
            name="Closing",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("first_day", models.DateField()),
                ("last_day", models.DateField()),
                ("through", models.BigIntegerField(default=0, help_text="closed for all suppliers up to this id")),
                ("place", models.BigIntegerField(help_text="the id up to which a backfill under way has come", null=True)),
                ("overwrite", models.BooleanField(default=False, help_text="whether that backfill writes over days closed before")),
                ("failures", models.JSONField(default=dict, help_text="suppliers not closed, with the reason")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=["first_day", "last_day"], name="closing_once"),
                    models.CheckConstraint(condition=models.Q(first_day__lte=models.F("last_day")), name="closing_in_order"),
                ],
                "indexes": [models.Index(fields=["last_day"], name="closing_last_day")],
            },
        ),
    ]
