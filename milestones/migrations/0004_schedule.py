"""The schedule of milestones."""

from datetime import timedelta

from django.db import migrations

from success.timetable import Row, default

ROWS = [
    Row(job="milestones.announce", queue="send", every=timedelta(seconds=2), description="Tells what suppliers reached, and grants their rewards."),
    Row(job="milestones.evaluate", task=Row.RUN_LONG, queue="score", every=timedelta(minutes=10), description="Looks at streaks, levels held and profiles, because time passes."),
    Row(job="milestones.settle_rewards", queue="score", every=timedelta(minutes=10), description="Ends rewards whose time is over, and follows the tasks about gifts."),
    Row(job="milestones.reconcile", task=Row.RUN_LONG, queue="score", minute="40", hour="3", description="Finds and silently grants milestones that are missing."),
]


class Migration(migrations.Migration):
    dependencies = [("milestones", "0003_catalogue"), ("success", "0004_schedule")]
    operations = [default(ROWS)]
