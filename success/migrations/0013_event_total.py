"""How often each event came, for the catalogue's list; and the schedule of counting it."""

from datetime import timedelta

import django.db.models.deletion
from django.db import migrations, models

from success.timetable import Row, default

ROWS = [Row(job="success.count_events", task=Row.RUN_LONG, queue="sync", every=timedelta(hours=1), description="Counts how often each event came, for the catalogue's list.")]


class Migration(migrations.Migration):

    dependencies = [
        ('success', '0012_views'),
    ]

    operations = [
        migrations.CreateModel(
            name='EventTotal',
            fields=[
                ('event', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='total', serialize=False, to='success.eventname')),
                ('ever', models.BigIntegerField()),
                ('week', models.BigIntegerField(help_text='today and the six UTC days before')),
                ('suppliers', models.IntegerField(help_text='who ever had it')),
                ('last_at', models.DateTimeField(null=True)),
                ('counted_at', models.DateTimeField()),
            ],
        ),
        default(ROWS),
    ]
