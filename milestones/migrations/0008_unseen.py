"""When a mail was asked for about what was not seen."""

from django.db import migrations, models
from django.utils import timezone

WHEN = "when a mail was asked for, because she had not seen it"
WORDS = models.CharField(help_text="what she reads when she is there; {{ count }} is her own number, where it takes one", max_length=200)


class Migration(migrations.Migration):
    dependencies = [("milestones", "0007_bell"), ("success", "0022_push")]
    operations = [
        # What was reached before there was anything to see it on is told to nobody by mail: all rows there are have a value, without being written anew.
        migrations.AddField(model_name="achievement", name="digested_at", field=models.DateTimeField(help_text=WHEN, null=True, default=timezone.now)),
        migrations.AlterField(model_name="achievement", name="digested_at", field=models.DateTimeField(help_text=WHEN, null=True)),
        migrations.AlterField(model_name="milestone", name="words", field=WORDS),
        migrations.AlterField(model_name="milestonepast", name="words", field=WORDS),
    ]
