"""The schedule: what was said to open pages does not stay."""

from django.db import migrations

from success.timetable import Row, default

ROWS = [Row(job="success.forget_pushes", queue="ingest", minute="50", hour="3", description="Deletes what was said to open pages over a month ago.")]


class Migration(migrations.Migration):
    dependencies = [("success", "0023_places")]
    operations = [default(ROWS)]
