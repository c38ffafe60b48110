"""The schedule of the ground's own jobs."""

from datetime import timedelta

from django.db import migrations

from success.timetable import Row, default

ROWS = [
    Row(job="success.fold_again", queue="ingest", every=timedelta(seconds=15), description="Folds dead letters again, halving until the bad row stands alone."),
    Row(job="success.partitions", queue="ingest", minute="20", hour="3", description="Makes the partitions of this month and the next three."),
    Row(job="success.overdue", task="success.tasks.send_overdue", queue="ingest", every=timedelta(minutes=1), description="Asks again for jobs whose tick was lost, whose worker died, or that fell due while beat was away."),
]


class Migration(migrations.Migration):
    dependencies = [("success", "0003_catalogue"), ("django_celery_beat", "0019_alter_periodictasks_options")]
    operations = [default(ROWS)]
