"""What our own people do about a supplier: note it, say they were in touch, plan a task, leave her alone for a while."""

from datetime import date, datetime

from django.contrib.auth.models import User
from django.db import transaction

from success.models import Note, Snooze, Supplier, Task, Touchpoint


class AlreadyEnded(Exception):
    """Somebody has done or dropped this task already."""


class NotLater(Exception):
    """A snooze has to end later than now."""


def note(*, supplier: int, text: str, by: User, at: datetime) -> Note:
    """The note stands in the supplier's timeline."""
    return Note.objects.create(supplier_id=supplier, text=text, by=by, at=at)


def contacted(*, supplier: int, channel: str, outcome: str, text: str, by: User, at: datetime) -> Touchpoint:
    """The touchpoint stands in the timeline, and is the supplier's last contact."""
    return Touchpoint.objects.create(supplier_id=supplier, channel=channel, outcome=outcome, text=text, by=by, at=at)


def plan(*, supplier: int, title: str, due_on: date, assignee: User, by: User | None, at: datetime) -> Task:
    """The task waits for its assignee from now on, and is overdue after its day. Without `by` a playbook planned it."""
    return Task.objects.create(supplier_id=supplier, title=title, due_on=due_on, assignee=assignee, by=by, at=at)


def finish(*, task: Task, by: User, at: datetime) -> None:
    """The task is done. Raises AlreadyEnded."""
    end(task, by=by, at=at, because="")


def drop(*, task: Task, because: str, by: User, at: datetime) -> None:
    """The task is given up, for a reason. Raises AlreadyEnded."""
    end(task, by=by, at=at, because=because)


def end(task: Task, *, by: User, at: datetime, because: str) -> None:
    if not Task.objects.open().filter(pk=task.pk).update(ended_at=at, ended_by=by, dropped_because=because):
        raise AlreadyEnded


@transaction.atomic
def snooze(*, supplier: int, until: datetime, reason: str, by: User, at: datetime) -> Snooze:
    """The supplier is in no list of those who need somebody until then; an earlier snooze gives way.

    Raises:
        NotLater: `until` is not after `at`.
    """
    if until <= at:
        raise NotLater
    Supplier.objects.select_for_update(no_key=True).get(pk=supplier)  # of two at once the later one stands
    wake(supplier=supplier, at=at)
    return Snooze.objects.create(supplier_id=supplier, until=until, reason=reason, by=by, at=at)


def wake(*, supplier: int, at: datetime) -> bool:
    """The supplier is back in the lists; says whether she was snoozed."""
    return Snooze.objects.filter(supplier=supplier, ended_at=None).update(ended_at=at) > 0
