"""The schedule of health: three rhythms."""

from datetime import timedelta

from django.db import migrations

from success.timetable import Row, default

ROWS = [
    Row(job="health.touched", queue="score", every=timedelta(seconds=2), description="Scores the suppliers that activity touched."),
    Row(job="health.assess", task=Row.RUN_LONG, queue="score", every=timedelta(minutes=10), description="Scores all suppliers, because time passes."),
    Row(job="health.close_day", task=Row.RUN_LONG, queue="score", minute="5", hour="0", description="Closes the UTC day that ended into snapshots; each missed day is made up for."),
]


class Migration(migrations.Migration):
    dependencies = [("health", "0001_initial"), ("success", "0004_schedule")]
    operations = [default(ROWS)]
