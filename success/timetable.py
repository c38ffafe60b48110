"""The rows of django-celery-beat: the schedule as people see and edit it. Each app enters the default rows of its own jobs in a migration."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from json import dumps
from typing import Any, ClassVar

from celery.schedules import crontab
from django.db.migrations import RunPython
from django_celery_beat.models import PeriodicTask

from success.schedules import Crontab, Interval, Schedule


class NoSchedule(Exception):
    """This row follows neither an interval nor a crontab, so its slots are unknown."""


def schedule_of(task: PeriodicTask) -> Schedule:
    """What the row says, as slots.

    Raises:
        NoSchedule: it is a solar or a clocked one.
    """
    if task.interval:
        return Interval(timedelta(**{task.interval.period: task.interval.every}))
    if not task.crontab:
        raise NoSchedule(task.name)
    row = task.crontab
    fields: Any = crontab(row.minute, row.hour, row.day_of_week, row.day_of_month, row.month_of_year)  # its type hides what it parsed
    return Crontab(
        minutes=frozenset(fields.minute),
        hours=frozenset(fields.hour),
        weekdays=frozenset(fields.day_of_week),
        days=frozenset(fields.day_of_month),
        months=frozenset(fields.month_of_year),
        timezone=row.timezone,
    )


def active(task: PeriodicTask, *, at: datetime) -> bool:
    """Whether the row asks for anything: it is enabled, has begun and has not ended."""
    return task.enabled and (task.start_time is None or task.start_time <= at) and (task.expires is None or at < task.expires)


@dataclass(frozen=True, kw_only=True)
class Row:
    """A default row: `every` so often, or at `minute` and `hour` UTC of each day."""

    RUN: ClassVar = "success.tasks.run_job"
    RUN_LONG: ClassVar = "success.tasks.run_long_job"

    job: str
    task: str = RUN
    queue: str
    every: timedelta | None = None
    minute: str = "0"
    hour: str = "0"
    description: str


def enter(row: Row, *, models: Callable[[str], Any]) -> bool:
    """The row is there, as people left it if it was before; says whether it is new. `models` finds a model of django-celery-beat by its name."""
    if row.every:
        found, every = models("IntervalSchedule").objects, {"every": int(row.every.total_seconds()), "period": "seconds"}
        schedule = {"interval": found.filter(**every).first() or found.create(**every)}  # nothing keeps people from making a second one
    else:
        spec = {"day_of_week": "*", "day_of_month": "*", "month_of_year": "*", "timezone": "UTC"}
        schedule = {"crontab": models("CrontabSchedule").objects.get_or_create(minute=row.minute, hour=row.hour, **spec)[0]}
    values = {
        "task": row.task,
        "kwargs": dumps({"job": row.job}),
        "queue": row.queue,
        "expire_seconds": 55,
        "description": row.description,
        **schedule,
    }
    _, new = models("PeriodicTask").objects.get_or_create(name=row.job, defaults=values)
    models("PeriodicTasks").objects.update_or_create(ident=1, defaults={"last_update": datetime.now(UTC)})  # a beat that is up reads the rows anew
    return bool(new)


def default(rows: Sequence[Row]) -> RunPython:
    """The operation of a migration that enters rows; backwards it takes them out."""

    def forwards(apps: Any, _: object) -> None:
        for row in rows:
            enter(row, models=lambda name: apps.get_model("django_celery_beat", name))

    def backwards(apps: Any, _: object) -> None:
        apps.get_model("django_celery_beat", "PeriodicTask").objects.filter(name__in=[row.job for row in rows]).delete()

    return RunPython(forwards, backwards)
