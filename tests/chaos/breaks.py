"""Each invariant, broken on purpose: its checker has to turn red, or it shows nothing."""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from success import db, due
from success.events import DELIVERIES
from tests.chaos import scheduled


def no_transaction() -> None:
    """What a subscriber writes is committed before it is written down that it was told."""

    def carry_out(kind: due.Kind, held: due.Held, *, at: datetime) -> str:
        if not kind.transactional:
            return whole(kind, held, at=at)
        try:
            outcome = kind.carry_out(due.mine(kind, held).get(), at=at)
        except Exception as error:
            outcome = due.Retry(str(error))
        return due.record(kind, held, outcome, at=at)

    whole, due.carry_out = due.carry_out, carry_out


def no_token() -> None:
    """A worker that was frozen takes what it had in hand for its own still."""

    def mine(kind: due.Kind, held: due.Held) -> Any:
        rows = kind.model._default_manager.filter(pk=held.key)
        rows.update(state="queued")
        return rows

    due.mine = mine


def no_end_of_leases() -> None:
    """Nobody takes over what a dead worker had."""
    due.HOLD = timedelta(days=1)
    _change(scheduled.CALLS, lease=timedelta(days=1))


def sent_again() -> None:
    """What may have crossed the network is taken for what can be rolled back, and done again."""
    _change(scheduled.CALLS, transactional=True)


def key_of_the_attempt() -> None:
    """Each attempt has another key."""
    scheduled.key_of = lambda row: f"call-{row.pk}-{time.monotonic_ns()}"


def a_failure_ends_the_run() -> None:
    """What fails is not pushed away, and what stands behind it in the batch is left lying."""

    def carry_out(kind: due.Kind, held: due.Held, *, at: datetime) -> str:
        came = whole(kind, held, at=at)
        if kind.key == DELIVERIES and came == "queued":
            kind.model.objects.filter(pk=held.key).update(due_at=at - timedelta(days=1), attempts=0)
            raise RuntimeError
        return came

    whole, due.carry_out = due.carry_out, carry_out


def no_unique_index() -> None:
    """In the database, by whoever makes it: nothing keeps an event from having two deliveries to one subscriber."""


def _change(key: str, **values: Any) -> None:
    due._registry[key] = replace(due._registry[key], **values)


BREAKS: dict[str, Callable[[], None]] = {
    each.__name__: each for each in (no_transaction, no_token, no_end_of_leases, sent_again, key_of_the_attempt, a_failure_ends_the_run, no_unique_index)
}


def apply(name: str) -> None:
    """The invariant of this name does not hold in this process."""
    if name:
        BREAKS[name]()


def known(claim: Callable[..., list[due.Held]]) -> Callable[..., list[due.Held]]:
    """Whoever claims tells the database which process it is, so that those at work can be found."""

    def batch(*arguments: Any, **more: Any) -> list[due.Held]:
        db.rows("select set_config('application_name', %s, false)", [f"works {os.getpid()}"])
        return claim(*arguments, **more)

    return batch


due.HOLD = timedelta(seconds=settings.CHAOS_HOLD)
due.claim = known(due.claim)
apply(settings.CHAOS_BREAK)
