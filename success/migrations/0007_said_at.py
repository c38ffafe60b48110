"""When each trait was said, so that what arrives late changes nothing said since."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("success", "0006_room_for_updates"),
    ]

    operations = [
        migrations.AddField(
            model_name="contact",
            name="said_at",
            field=models.JSONField(db_default={}, default=dict, editable=False, help_text="per trait, when what it now is was said"),
        ),
        migrations.AddField(
            model_name="supplier",
            name="said_at",
            field=models.JSONField(db_default={}, default=dict, editable=False, help_text="per trait, when what it now is was said"),
        ),
    ]
