"""The jobs of the ground: dead letters are folded again, activity always has a partition to go to, and the catalogue knows its counts."""

from collections.abc import Collection
from datetime import datetime, timedelta

from success import activity, catalogue, due, events, letters
from success.imports import uploads
from success.jobs import Done, Job, register
from success.models import Delivery
from success.notifications import sending
from success.stream import pushes


def fold_again(*, at: datetime, slot: datetime, only: Collection[int] | None) -> Done:
    """Open dead letters whose time has come are folded, or a step nearer to the row at fault."""
    return Done(letters.sweep(at=at))


def partitions(*, at: datetime, slot: datetime, only: Collection[int] | None) -> Done:
    """This month and the next three have their partition."""
    return Done({"made": activity.ensure_partitions(now=at)})


def forget_uploads(*, at: datetime, slot: datetime, only: Collection[int] | None) -> Done:
    """Files that were uploaded do not stay."""
    return Done({"forgotten": uploads.forget(at=at)})


def count_events(*, at: datetime, slot: datetime, only: Collection[int] | None) -> Done:
    """The catalogue's list says how often each event came."""
    return Done({"counted": catalogue.count(at=at)})


def forget_pushes(*, at: datetime, slot: datetime, only: Collection[int] | None) -> Done:
    """What was said to open pages does not stay."""
    return Done({"forgotten": pushes.forget(at=at)})


register(
    Job(key="success.fold_again", run=fold_again, keep=timedelta(days=7)),
    Job(key="success.partitions", run=partitions),
    Job(key="success.forget_uploads", run=forget_uploads),
    Job(key="success.forget_pushes", run=forget_pushes),
    Job(key="success.count_events", run=count_events, lease=timedelta(seconds=330), keep=timedelta(days=1)),
)
due.register(
    due.Kind(key=events.DELIVERIES, model=Delivery, carry_out=events.deliver, transactional=True, related=("event",)),
    sending.KIND,
)
