"""The first playbook, off, and when playbooks look at everybody."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import migrations

from success.timetable import Row, default

ROWS = [
    Row(job="interventions.sweep", queue="score", every=timedelta(minutes=1), description="Begins playbooks that are on with all who qualify, and ends what is over"),
    Row(job="interventions.steps", queue="send", every=timedelta(seconds=2), description="Does the steps of playbooks that are due"),
]
PLAYBOOK = {
    "name": "First weeks, quiet",
    "about": "For who signed up within a month and has gone quiet: one letter with the one thing that helps, then a task for her owner.",
    "condition": {
        "all": [
            {"fact": "days_since_signed_up", "is": "at_most", "value": 30},
            {"fact": "days_quiet", "is": "at_least", "value": 5},
            {"fact": "score", "is": "less_than", "value": 70},
        ]
    },
    "goal": {"any": [{"fact": "clients", "is": "at_least", "value": 25}, {"fact": "features_used", "is": "at_least", "value": 3}]},
    "steps": [
        {"do": "message", "template": "first_weeks_quiet"},
        {"do": "task", "title": "Quiet in her first weeks: call her", "after_days": 3, "unless_active": True},
    ],
}


def enter(apps: Any, _: object) -> None:
    values = {**PLAYBOOK, "changed_at": datetime.now(UTC)}
    apps.get_model("interventions", "Playbook").objects.get_or_create(key="first_weeks_quiet", defaults=values)


def take_out(apps: Any, _: object) -> None:
    """Where it was never used; a ledger's playbook stays."""
    found = apps.get_model("interventions", "Playbook").objects.filter(key="first_weeks_quiet", decisions=None, interventions=None)
    found._raw_delete(found.db)  # its relations to other states of the models are of no concern


class Migration(migrations.Migration):
    dependencies = [("interventions", "0001_initial")]
    operations = [migrations.RunPython(enter, take_out), default(ROWS)]
