"""The three rhythms of health: suppliers touched by activity at once, all of them as time passes, and each day closed after it ended."""

import time
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from health import assessments, history, overrides
from health.assessments import Run
from success.jobs import CatchUp, Done, Job, register

SWEEP_FOR = 20.0  # seconds a sweep goes on while there is work; below its lease


def touched(*, at: datetime, slot: datetime, only: Collection[int] | None) -> Done:
    """All suppliers that activity touched are scored."""
    began, total = time.monotonic(), Run()
    while (elapsed := time.monotonic() - began) < SWEEP_FOR:
        run = assessments.assess_touched(at=at + timedelta(seconds=elapsed))
        total.add(run)
        if run.assessed + len(run.failures) == 0:
            break
    return Done(total.counts(), total.failures)


def assess(*, at: datetime, slot: datetime, only: Collection[int] | None) -> Done:
    """All suppliers are scored anew, because time passes; or those named."""
    run = assessments.assess(at=at, only=only)
    return Done(run.counts(), run.failures)


def expire_overrides(*, at: datetime, slot: datetime, only: Collection[int] | None) -> Done:
    """Overrides whose time is over are ended."""
    return Done({"ended": overrides.expire(at=at)})


def close_day(*, at: datetime, slot: datetime, only: Collection[int] | None) -> Done:
    """The UTC day before the slot's is closed; a second run takes whom the first did not close, of its own account."""
    closed = history.close_day(day=slot.astimezone(UTC).date() - timedelta(days=1))
    return Done(closed.counts(), closed.failures)


register(
    Job(key="health.touched", run=touched, lease=timedelta(seconds=30), keep=timedelta(hours=1)),
    Job(key="health.assess", run=assess, lease=timedelta(seconds=330)),
    Job(key="health.expire_overrides", run=expire_overrides, keep=timedelta(days=1)),
    Job(key="health.close_day", run=close_day, catch_up=CatchUp.EACH, lease=timedelta(seconds=330), keep=timedelta(days=800)),
)
