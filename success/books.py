"""Books: whose suppliers one of us may see, all or only those in their own; and how a whole book changes hands."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Q, QuerySet

from success import colleagues, suppliers
from success.models import Colleague, Snooze, Supplier, Task
from success.roles import ROLES


class CannotSee(Exception):
    """Some of the open tasks are about suppliers of others, whom this colleague does not see. Choose a colleague who sees all suppliers, or let the tasks stay."""


class NotYours(Exception):
    """Whoever keeps to their own book hands over that one alone."""


class NotWorking(Exception):
    """This colleague is deactivated or has no role, and would see nothing of the book. Choose another."""


def limited(user: User | AnonymousUser) -> bool:
    """Whether this person sees only the suppliers they own. Remembered on the user, so for one request."""
    known = getattr(user, "_own_book_only", None)
    if known is None:
        known = Colleague.objects.filter(user=user.pk, own_book_only=True).exists()
        user._own_book_only = known  # type: ignore[union-attr]
    return bool(known)


def visible(queryset: QuerySet[Any], user: User | AnonymousUser, *, path: str = "") -> QuerySet[Any]:
    """Of rows with a path to a supplier (`supplier__`, or "" for suppliers) those that this person may see."""
    return queryset.filter(**{f"{path}owner_id": user.pk}) if limited(user) else queryset


# ---------------------------------------------------------------- a whole book


@dataclass(frozen=True, slots=True)
class Book:
    """What a colleague holds."""

    suppliers: int
    left_out: int  # of the suppliers, those cancelled, paused or internal
    tasks: int
    elsewhere: int  # of the tasks, those about suppliers of others
    snoozed: int

    @property
    def empty(self) -> bool:
        return not self.suppliers and not self.tasks


def book_of(user: User, *, at: datetime) -> Book:
    """All that would be nobody's if this colleague went."""
    own, tasks = Supplier.objects.filter(owner=user), Task.objects.open().filter(assignee=user)
    elsewhere = tasks.exclude(supplier__owner=user).count()
    served = own.in_service().count()
    total = own.count()
    return Book(total, total - served, tasks.count(), elsewhere, Snooze.objects.active(at).filter(supplier__owner=user).count())


def takers(*, besides: User) -> QuerySet[User]:
    """Who can take over a book: colleagues who can sign in and have a role."""
    working = User.objects.filter(Q(is_superuser=True) | Q(groups__name__in=ROLES), is_active=True, is_staff=True)
    return working.exclude(pk=besides.pk).distinct().order_by("first_name", "username")


def hand_over(*, whose: User, to: User, with_tasks: bool, by: User, at: datetime) -> tuple[int, int]:
    """All suppliers of a colleague, and with them every open task, are another's; says how many of each.

    Snoozes, notes and history stay with the suppliers. What somebody gives the colleague meanwhile goes along too, until nothing is left.
    A part at a time, so that nobody who writes waits long: cut off, the rest is still the colleague's, and the same call goes on.

    Raises:
        NotYours, NotWorking, CannotSee: nothing changed hands.
    """
    if limited(by) and whose.pk != by.pk:
        raise NotYours
    if not takers(besides=whose).filter(pk=to.pk).exists():
        raise NotWorking
    if with_tasks and limited(to) and Task.objects.open().filter(assignee=whose).exclude(supplier__owner__in=[to, whose]).exists():
        raise CannotSee
    moved = 0
    while own := list(Supplier.objects.filter(owner=whose).order_by("pk").values_list("pk", flat=True)[: suppliers.AT_ONCE]):
        moved += suppliers.hand_over(own, to=to, at=at, whose=whose)
    tasks = Task.objects.open().filter(assignee=whose).update(assignee=to) if with_tasks else 0
    colleagues.note(whose, f"book handed over to {to.get_username()}: {moved} suppliers, {tasks} open tasks", by=by, at=at)
    return moved, tasks
