import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("success", "0004_schedule")]
    operations = [
        migrations.CreateModel(
            name="Import",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(help_text="of the file and of how its columns are read", max_length=64)),
                ("started_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                ("place", models.BigIntegerField(default=0, help_text="in the unpacked file; 0 when it must be read from the start")),
                ("line", models.BigIntegerField(default=0)),
                ("rejects_size", models.BigIntegerField(default=0, help_text="bytes of the rejects file that belong to what was read")),
                ("accepted", models.BigIntegerField(default=0)),
                ("duplicates", models.BigIntegerField(default=0)),
                ("refused", models.BigIntegerField(default=0)),
                ("source", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="success.source")),
            ],
            options={
                "constraints": [models.UniqueConstraint(condition=models.Q(("finished_at", None)), fields=("source", "digest"), name="import_open_once")],
            },
        ),
    ]
