"""A day passes, or all is as at the start."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from celery import current_app
from django_celery_beat.models import PeriodicTask

from config.local import ahead, demo
from config.local.demo.source import insist
from health.models import Closing, Snapshot
from interventions import playbooks
from success import activity, catalogue, clock, jobs
from success.models import JobRun

DAY = timedelta(days=1)
PATIENCE = 30.0  # seconds to wait for the demo to be played on by the job of this minute
PAUSE = 0.25


def a_day_later() -> datetime:
    """It is a day later for all processes, the demo's people have lived that day, and all jobs are asked whether they are due; says what time it is.

    Raises:
        NotHere: DEBUG is off.
        Busy: the demo is being loaded.
    """
    insist()
    activity.ensure_partitions(now=clock.now() + DAY)
    ahead.go_on(DAY)
    at = clock.now()
    play(at=at)
    ask_all()
    return at


def ask_all() -> None:
    """Workers look at every job now; whether it is due, its slots say."""
    for task in PeriodicTask.objects.filter(name__in=jobs.registered(), enabled=True):
        current_app.send_task(task.task, kwargs={"job": task.name}, queue=task.queue, expires=55)


def play(*, at: datetime) -> None:
    """What the demo's people did up to now is in, before the jobs of the night look."""
    patiently(lambda: demo.play(at=at))


def patiently(work: Callable[[], object]) -> None:
    """Done as soon as nobody else plays or loads the demo."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            work()
        except demo.Busy:
            if time.monotonic() > until:
                raise
            time.sleep(PAUSE)
        else:
            return


def start_again() -> None:
    """Sarah stands where she stood; where days had passed it is today, and the whole demo is loaded anew.

    Raises:
        NotHere: DEBUG is off.
        Busy: the demo is being loaded or played.
    """
    insist()
    if ahead.current() or JobRun.objects.filter(slot__gt=clock.real()).exists():  # or it was begun and could not be ended
        ahead.go_back()
        time.sleep(ahead.FRESH_FOR)  # by then every process knows
        patiently(lambda: demo.load(at=clock.real()))
        forget_days_to_come(at=clock.real())
        catalogue.count(at=clock.real())
    else:
        demo.start(at=clock.real())
    playbooks.sweep(at=clock.real())
    ask_all()


def forget_days_to_come(*, at: datetime) -> None:
    """No job waits for a slot that is to come, and no day is closed before it ends."""
    JobRun.objects.filter(slot__gt=at).delete()
    JobRun.objects.filter(started_at__gt=at).delete()
    Closing.objects.filter(last_day__gte=at.date()).delete()
    Snapshot.objects.filter(day__gte=at.date()).delete()
