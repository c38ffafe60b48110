"""The schedule of health: levels that people set end by themselves."""

from datetime import timedelta

from django.db import migrations

from success.timetable import Row, default

ROWS = [Row(job="health.expire_overrides", queue="score", every=timedelta(minutes=1), description="Ends overrides of a level whose time is over.")]


class Migration(migrations.Migration):
    dependencies = [("health", "0005_override")]
    operations = [default(ROWS)]
