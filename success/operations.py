"""What an operator looks at: the jobs with their rhythm, the queues, how old the newest is, how large and how new everything is. Read when it is asked for."""

import platform
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any

import django
import redis
from django.conf import settings
from django_celery_beat.models import PeriodicTask

from success import db, gauges, jobs, timetable
from success.models.jobs import RunState
from success.schedules import Schedule

PATIENCE = 0.45  # seconds for Redis
WINDOWS = [timedelta(minutes=10 * 6**n) for n in range(6)]  # 10 minutes to 54 days

# ---------------------------------------------------------------- jobs

LAST = """select distinct on (job) job, slot, state, started_at, leased_until, error, jsonb_array_length(failures)
    from success_jobrun order by job, slot desc"""


@dataclass(frozen=True, slots=True)
class JobNow:
    """A job of the schedule: how it stands (`done, failed, running, left, overdue, waiting, off`), when it ran, and when it is due next."""

    key: str
    row: int
    about: str
    queue: str
    rhythm: str
    state: str
    last_at: datetime | None
    next_at: datetime | None
    error: str
    failed: int  # runs in 24 hours
    failed_suppliers: int

    @property
    def ok(self) -> bool:
        return self.state not in ("failed", "left", "overdue")


def jobs_now(*, at: datetime) -> list[JobNow]:
    """The jobs that are registered and have a row in the schedule."""
    last = {job: rest for job, *rest in db.rows(LAST)}
    failed = {job: (runs, suppliers) for job, runs, suppliers in db.rows(gauges.FAILED, [at - timedelta(days=1)])}
    rows = PeriodicTask.objects.filter(name__in=jobs.registered()).select_related("interval", "crontab").order_by("name")
    return [job_now(row, last.get(row.name), *failed.get(row.name, (0, 0)), at=at) for row in rows]


def job_now(row: PeriodicTask, last: list[Any] | None, failed: int, failed_suppliers: int, *, at: datetime) -> JobNow:
    slot, state, started_at, leased_until, error, _ = last or (None, None, None, None, "", 0)
    try:
        schedule = timetable.schedule_of(row)
    except timetable.NoSchedule:
        schedule = None
    active = schedule is not None and timetable.active(row, at=at)
    stands = how(schedule, slot, state, leased_until, at=at) if active and schedule else "off"
    next_at = schedule.next(at) if active and schedule else None
    return JobNow(row.name, row.pk, row.description, row.queue or "", rhythm(row), stands, started_at, next_at, error, failed, failed_suppliers)


def how(schedule: Schedule, slot: datetime | None, state: str | None, leased_until: datetime | None, *, at: datetime) -> str:
    """`overdue` is what should have begun three minutes ago, when asking again (`jobs.overdue`) has not helped; `left` what a worker died on."""
    if state == RunState.RUNNING and leased_until is not None:
        return "running" if leased_until > at else "left"
    due = schedule.latest(at - 3 * jobs.LATE)
    if due is not None and (slot is None or slot < due):
        return "overdue"
    return state or "waiting"


def rhythm(row: PeriodicTask) -> str:
    """Every 10 minutes; each day at 00:05 UTC."""
    if row.interval:
        return every(timedelta(**{row.interval.period: row.interval.every}))
    if not row.crontab:
        return "at times we cannot follow"
    one = row.crontab
    if (one.day_of_week, one.day_of_month, one.month_of_year) == ("*", "*", "*") and one.hour.isdecimal() and one.minute.isdecimal():
        return f"each day at {int(one.hour):02}:{int(one.minute):02} {one.timezone}"
    return f"{one.minute} {one.hour} {one.day_of_month} {one.month_of_year} {one.day_of_week} {one.timezone}"


def every(length: timedelta) -> str:
    """Every 10 minutes, every day: in the largest unit that it is whole numbers of."""
    for unit in ("days", "hours", "minutes", "seconds"):
        n, rest = divmod(length, timedelta(**{unit: 1}))
        if n and not rest:
            return f"every {n} {unit}" if n > 1 else f"every {unit.removesuffix('s')}"
    return f"every {length}"


# ---------------------------------------------------------------- queues


@dataclass(frozen=True, slots=True)
class Broker:
    """What waits in each of Celery's queues, what workers hold just now, and the server's version."""

    waiting: dict[str, int]
    held: int
    version: str


def broker() -> Broker | None:
    """None while Redis is away."""
    client = redis.Redis.from_url(settings.CELERY_BROKER_URL, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, retry=None)
    names = [queue.name for queue in settings.CELERY_TASK_QUEUES]
    try:
        with client.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.llen(name)
            pipe.hlen("unacked")
            pipe.info("server")
            *waiting, held, server = pipe.execute()
    except redis.RedisError:
        return None
    finally:
        client.close()
    valkey = server.get("valkey_version")
    return Broker(dict(zip(names, waiting, strict=True)), held, f"Valkey {valkey}" if valkey else f"Redis {server.get('redis_version', '')}")


# ---------------------------------------------------------------- ages, sizes, versions


@dataclass(frozen=True, slots=True)
class Ground:
    """Of the database: what waits there and since when, its size, and up to where partitions are ready."""

    newest_at: datetime | None
    marks: int
    oldest_mark: float  # seconds
    letters: int
    oldest_letter: datetime | None
    size: int
    partitions_until: date | None


NEWEST = "select max(received_at) from success_activity where received_at > %s"
OLDEST_LETTER = "select min(received_at) from success_deadletter where resolved_at is null"
UNTIL = """select max(to_date(right(c.relname, 7), 'YYYY_MM')) from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'success_activity'::regclass"""


def ground(*, at: datetime) -> Ground:
    (marks, oldest), (letters,) = db.rows(gauges.DIRTY, [at])[0], db.rows(gauges.LETTERS)[0]
    size, until, oldest_letter = db.rows(f"select pg_database_size(current_database()), ({UNTIL}), ({OLDEST_LETTER})")[0]
    return Ground(newest(at=at), marks, oldest, letters, oldest_letter, size, until)


def newest(*, at: datetime) -> datetime | None:
    """When the newest activity came. The log has no order but by block, so ever longer stretches are read: at most six times the silence."""
    return next((found for length in WINDOWS if (found := db.rows(NEWEST, [at - length])[0][0])), None)


def versions() -> Iterator[tuple[str, str]]:
    yield "Customer success", own_version()
    yield "Python", platform.python_version()
    yield "Django", django.get_version()


@cache
def own_version() -> str:
    return str(tomllib.loads((settings.BASE_DIR / "pyproject.toml").read_text())["project"]["version"])
