"""A worker without Celery, for the short form: a fork of the chaos itself, which dies and sleeps at the worst moments of its own accord."""

import os
import random
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection

from success import clock, due
from tests.chaos import breaks

PAUSE = 0.05  # seconds between two looks
DIES = 1 / 25  # of the attempts, done and not yet on record
SLEEPS = 1 / 8  # of the batches, in hand and not begun: longer than the lease


def work(*, sink: int, broken: str, deaths: Path) -> None:
    """Does what is due until it is killed."""
    settings.CHAOS_SINK = str(sink)
    random.seed()
    due.ask = lambda key: None  # nobody listens
    due.FIRST_PAUSE = timedelta(seconds=0.1)
    due.record, due.claim = dying(due.record, deaths), sleeping(due.claim)
    breaks.apply(broken)
    parent = os.getppid()
    while os.getppid() == parent:
        for kind in due.registered().values():
            try:
                due.run(kind, at=clock.now(), patience=1)
            except (DatabaseError, RuntimeError):  # it is away, or a break's
                connection.close()
        time.sleep(PAUSE)
    os._exit(0)


def dying(record: Callable[..., str], deaths: Path) -> Callable[..., str]:
    def one(*arguments: Any, **more: Any) -> str:
        if random.random() < DIES:
            with deaths.open("ab") as file:
                file.write(b".")
            os.kill(os.getpid(), signal.SIGKILL)
        return record(*arguments, **more)

    return one


def sleeping(claim: Callable[..., list[due.Held]]) -> Callable[..., list[due.Held]]:
    def batch(*arguments: Any, **more: Any) -> list[due.Held]:
        found = claim(*arguments, **more)
        if found and random.random() < SLEEPS:
            time.sleep(1.5 * settings.CHAOS_HOLD)
        return found

    return batch
