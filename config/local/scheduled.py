"""The demo lives: each minute it plays on to now."""

from collections.abc import Collection
from datetime import datetime, timedelta

from config.local import demo
from success.jobs import Done, Job, register
from success.timetable import Row


def play(*, at: datetime, slot: datetime, only: Collection[int] | None) -> Done:
    """The demo has gone on to now, unless somebody is loading or removing it."""
    try:
        return Done({"messages": demo.play(at=at)})
    except demo.Busy:
        return Done()


PLAY = Row(job="demo.play", queue="ingest", every=timedelta(minutes=1), description="Plays the demo on to now")
register(Job(key="demo.play", run=play, keep=timedelta(hours=1)))
