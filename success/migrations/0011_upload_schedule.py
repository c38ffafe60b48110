"""The schedule: uploaded files do not stay."""

from django.db import migrations

from success.timetable import Row, default

ROWS = [Row(job="success.forget_uploads", queue="ingest", minute="40", hour="3", description="Deletes uploaded files that nobody imported, and what is left of those of over a week ago.")]


class Migration(migrations.Migration):
    dependencies = [("success", "0010_upload")]
    operations = [default(ROWS)]
