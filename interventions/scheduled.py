"""The jobs of playbooks: steps when they are due, and a look at everybody each minute."""

from collections.abc import Collection
from datetime import datetime, timedelta

from interventions import engine, playbooks
from interventions.models import Step
from success import due
from success.jobs import Done, Job, register


def sweep(*, at: datetime, slot: datetime, only: Collection[int] | None) -> Done:
    """Playbooks that are on begin with all who qualify, also those whose risk came in silently."""
    return Done(playbooks.sweep(at=at))


register(Job(key="interventions.sweep", run=sweep, lease=timedelta(seconds=330), keep=timedelta(days=7)))
due.register(due.Kind(key=engine.STEPS, model=Step, carry_out=engine.carry_out, transactional=True))
