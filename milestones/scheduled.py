"""The jobs of milestones: what was reached is told, by mail if it was not seen, what no counter decides is looked at, rewards end in time, and a recount finds
what is missing.
"""

import time
from collections.abc import Collection
from datetime import datetime, timedelta

from milestones import achievements, digest, reconciling, rewards
from success.jobs import Done, Job, register
from success.stream import bells

ANNOUNCE_FOR = 20.0  # seconds that one run goes on while there is something to tell


def announce(*, at: datetime, slot: datetime, only: Collection[int] | None) -> Done:
    """What was reached is told, those included whose last part has just come true."""
    began, done = time.monotonic(), achievements.Announced()
    found = achievements.evaluate_touched(at=at)
    while (elapsed := time.monotonic() - began) < ANNOUNCE_FOR:
        batch = achievements.announce(at=at + timedelta(seconds=elapsed))
        done.n, done.failures = done.n + batch.n, done.failures | batch.failures
        if batch.n == 0:
            break
    return Done({"reached": found, "announced": done.n}, done.failures)


def evaluate(*, at: datetime, slot: datetime, only: Collection[int] | None) -> Done:
    """Streaks, levels held and profiles are looked at, because time passes."""
    return Done({"reached": achievements.evaluate(at=at, only=only)})


def settle(*, at: datetime, slot: datetime, only: Collection[int] | None) -> Done:
    """Rewards that nobody redeemed in time are over; those that wait are asked about, and stand as the tasks about them."""
    return Done({"expired": rewards.expire(at=at), "followed": rewards.follow_tasks(at=at), "asked": rewards.ask_about_waiting(at=at)})


def tell_unseen(*, at: datetime, slot: datetime, only: Collection[int] | None) -> Done:
    """Whoever has not seen what she reached is told by mail."""
    return Done({"asked for": digest.digest(at=at)})


def reconcile(*, at: datetime, slot: datetime, only: Collection[int] | None) -> Done:
    """Whoever lacks what she has reached has it, silently."""
    return Done({"granted": reconciling.reconcile(at=at, grant=reconciling.SILENTLY, only=only)})


register(
    Job(key="milestones.announce", run=announce, lease=timedelta(seconds=120), keep=timedelta(hours=1)),
    Job(key="milestones.evaluate", run=evaluate, lease=timedelta(seconds=330), keep=timedelta(days=7)),
    Job(key="milestones.settle_rewards", run=settle, keep=timedelta(days=7)),
    Job(key="milestones.digest", run=tell_unseen, keep=timedelta(days=7)),
    Job(key="milestones.reconcile", run=reconcile, lease=timedelta(seconds=330)),
)
bells.register("milestones_reached", achievements.announce_at_once)
