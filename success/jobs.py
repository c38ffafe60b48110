"""Jobs that run on a schedule: each slot once, however many beats tick, and what a run did, row by row in `JobRun`.

A row of django-celery-beat says when (`timetable`), a `Job` says what.
Beat only ticks: the slots are computed here, so a lost, late or doubled tick changes nothing.
"""

import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from typing import Protocol

import structlog
from django.db import transaction
from django.db.models import Max
from django_celery_beat.models import PeriodicTask

from success import db, timetable
from success.logs import reason_of
from success.models import JobRun, Supplier
from success.models.jobs import RunState

log = structlog.get_logger(__name__)

MISSED = 400  # slots of an absence that are caught up at most: over a year of days
ATTEMPTS = 6  # of a slot that must not be missed, before it waits for a person
PATIENCE = 60.0  # seconds after which a worker leaves further slots to the next tick
LATE = timedelta(minutes=1)


class CatchUp(Enum):
    """What becomes of slots that nobody ran."""

    LATEST = "only the last one counts"
    EACH = "each is run, oldest first, and again after a failure"


@dataclass(frozen=True, slots=True)
class Done:
    """What a run did, and the suppliers it failed on, with the reason."""

    counts: Mapping[str, int] = field(default_factory=dict)
    failures: Mapping[int, str] = field(default_factory=dict)


class Work(Protocol):
    def __call__(self, *, at: datetime, slot: datetime, only: Collection[int] | None) -> Done: ...


@dataclass(frozen=True, kw_only=True)
class Job:
    """What a row of the schedule stands for. A run that is not finished after `lease` is given up; clean runs are kept for `keep`."""

    key: str
    run: Work
    catch_up: CatchUp = CatchUp.LATEST
    lease: timedelta = timedelta(seconds=120)  # above the hard limit of run_job
    keep: timedelta = timedelta(days=90)


class UnknownJob(Exception):
    """No app registers a job of this name."""


class StillRunning(Exception):
    """Another worker is at this job."""


_registry: dict[str, Job] = {}


def register(*jobs: Job) -> None:
    """The jobs can be run; each app calls this from its module `scheduled`."""
    _registry.update({job.key: job for job in jobs})


def registered() -> dict[str, Job]:
    return dict(_registry)


def find(key: str) -> Job:
    if key not in _registry:
        raise UnknownJob(key)
    return _registry[key]


# ---------------------------------------------------------------- which slots


def run_due(key: str, *, at: datetime) -> list[JobRun]:
    """Runs what is due of a job and nobody runs or ran, oldest first; a disabled row is due for nothing."""
    job, began, runs = find(key), time.monotonic(), []
    for slot in due(job, at=at):
        elapsed = time.monotonic() - began
        run = claim(job, slot, at=at + timedelta(seconds=elapsed)) if elapsed < PATIENCE else None
        if run is None:
            break
        runs.append(carry_out(job, run, at=run.started_at))
    return runs


def due(job: Job, *, at: datetime) -> list[datetime]:
    """The slots to run at an instant, those a dead worker left among them. Slots never go backwards, also where an edited row would have them."""
    task = PeriodicTask.objects.select_related("interval", "crontab").filter(name=job.key).first()
    if task is None or not timetable.active(task, at=at):
        return []
    schedule = timetable.schedule_of(task)
    last = JobRun.objects.filter(job=job.key).aggregate(last=Max("slot"))["last"]
    if job.catch_up is CatchUp.LATEST or last is None:
        latest = schedule.latest(at)
        return [latest] if latest and (last is None or latest >= last) and not finished(job, latest) else []
    left = JobRun.objects.filter(job=job.key, attempts__lt=ATTEMPTS).exclude(state=RunState.DONE).order_by("slot").values_list("slot", flat=True)
    return [*left, *schedule.between(last, at, limit=MISSED)]


def finished(job: Job, slot: datetime) -> bool:
    return JobRun.objects.filter(job=job.key, slot=slot).exclude(state=RunState.RUNNING).exists()


def overdue(*, at: datetime) -> Iterator[PeriodicTask]:
    """Rows whose job should have run a minute ago: the tick was lost, the worker died, or beat was away at the hour."""
    for task in PeriodicTask.objects.filter(name__in=_registry, enabled=True).order_by("name"):
        job = _registry[task.name]
        try:
            late = any(slot <= at - LATE for slot in due(job, at=at))
        except timetable.NoSchedule:
            continue
        if late and not running(job, at=at):
            yield task


def running(job: Job, *, at: datetime) -> bool:
    return JobRun.objects.filter(job=job.key, state=RunState.RUNNING, leased_until__gt=at).exists()


# ---------------------------------------------------------------- one slot

BUSY = "select exists (select 1 from success_jobrun where job = %s and state = 'running' and leased_until > %s)"
GIVE_UP = (
    "update success_jobrun set state = 'failed', finished_at = %(at)s, error = 'the worker died' where job = %(job)s and state = 'running' and slot <> %(slot)s"
)
# A slot that is new, or was left by a dead worker, or failed and may be tried again.
CLAIM = """insert into success_jobrun as r (job, slot, state, started_at, leased_until, attempts, counts, failures, error)
    values (%(job)s, %(slot)s, 'running', %(at)s, %(until)s, 1, '{}', '[]', '')
    on conflict (job, slot) do update
        set state = 'running', started_at = excluded.started_at, leased_until = excluded.leased_until, finished_at = null, error = '', attempts = r.attempts + 1
        where (r.state = 'running' or r.state = 'failed' and %(again)s) and r.leased_until <= excluded.started_at
    returning id"""


@transaction.atomic
def claim(job: Job, slot: datetime, *, at: datetime) -> JobRun | None:
    """The slot is this worker's until the lease ends; none if another has the slot or is at the job."""
    db.rows("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"job {job.key}"])
    if db.rows(BUSY, [job.key, at])[0][0]:
        return None
    params = {"job": job.key, "slot": slot, "at": at, "until": at + job.lease, "again": job.catch_up is CatchUp.EACH}
    if not (claimed := db.rows(CLAIM, params)):
        return None
    db.execute(GIVE_UP, params)
    return JobRun.objects.get(pk=claimed[0][0])


def carry_out(job: Job, run: JobRun, *, at: datetime, only: Collection[int] | None = None) -> JobRun:
    """Runs a claimed slot, writes down what came of it, and lets an error go on to the log."""
    began = time.monotonic()
    try:
        done = job.run(at=at, slot=run.slot, only=only)
    except Exception as error:
        now = at + timedelta(seconds=time.monotonic() - began)
        finish(
            run,
            at=now,
            state=RunState.FAILED,
            error=f"{type(error).__name__}: {reason_of(error)}",
            leased_until=now + pause(run.attempts),
        )
        raise
    finish(run, at=at + timedelta(seconds=time.monotonic() - began), state=RunState.DONE, **written(run, done, only=only))
    if not done.failures:
        forget_clean(job, run)
    return run


def pause(attempts: int) -> timedelta:
    """How long a failed slot waits for its next attempt."""
    return timedelta(minutes=2**attempts)


def written(run: JobRun, done: Done, *, only: Collection[int] | None) -> dict[str, object]:
    """What is kept of a run: nothing counted is no counts; a second run adds to the first."""
    counts = {name: n + (run.counts.get(name, 0) if only is not None else 0) for name, n in done.counts.items()}
    if "failed" in counts:
        counts["failed"] = len(done.failures)
    failures = [{"supplier": supplier, "reason": reason} for supplier, reason in done.failures.items()]
    return {"counts": counts if any(counts.values()) else {}, "failures": failures}


def finish(run: JobRun, *, at: datetime, **values: object) -> None:
    """The run is over, unless its lease had ended and another took it over."""
    values["finished_at"] = at
    if not JobRun.objects.filter(pk=run.pk, attempts=run.attempts, state=RunState.RUNNING).update(**values):
        log.warning("run_was_taken_over", job=run.job, slot=run.slot.isoformat())
    for name, value in values.items():
        setattr(run, name, value)


def forget_clean(job: Job, run: JobRun) -> None:
    """Of the clean runs before this one, those that did nothing and those beyond `keep` go: a sweep every two seconds would fill the table."""
    db.execute(
        """delete from success_jobrun where job = %s and slot < %s and state = 'done' and failures = '[]' and (counts = '{}' or slot < %s)""",
        [job.key, run.slot, run.slot - job.keep],
    )


# ---------------------------------------------------------------- again


def rerun(run: JobRun, *, at: datetime) -> JobRun:
    """Runs a finished slot again: only the suppliers it failed on, or all of it if it failed as a whole.

    Raises:
        StillRunning: someone is at it.
    """
    job = find(run.job)
    with transaction.atomic():
        db.rows("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"job {job.key}"])
        again = JobRun.objects.select_for_update().get(pk=run.pk)
        if running(job, at=at):
            raise StillRunning
        only = [failure["supplier"] for failure in again.failures] if again.state == RunState.DONE and again.failures else None
        again.state, again.started_at, again.leased_until, again.attempts = RunState.RUNNING, at, at + job.lease, again.attempts + 1
        again.finished_at, again.error = None, ""
        again.save()
    return carry_out(job, again, at=at, only=only)


def failures_of(run: JobRun) -> list[dict[str, str]]:
    """The suppliers a run failed on by the id the product knows them by, with the reason; the erased have none."""
    names = dict(Supplier.objects.filter(pk__in=[failure["supplier"] for failure in run.failures]).values_list("pk", "external_id"))
    return [{"supplier": names.get(failure["supplier"], ""), "reason": failure["reason"]} for failure in run.failures]
