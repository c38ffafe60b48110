"""A level set by a person who knows better, for a while: the computed one stays beside it, and takes its place again by itself."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction

from health.events import OverrideEnded, OverrideSet
from health.models import Assessment, Override
from success import events
from success.models import Supplier

USUAL, LONGEST = timedelta(days=14), timedelta(days=90)
LEVELS = ("critical", "at_risk", "healthy")


class NotAllowed(Exception):
    """Only the owner of a supplier, a lead or an administrator may set its level."""


class NotPossible(Exception):
    """An override needs a supplier in service with a score, and an end within 90 days."""


def may(user: User, supplier: Supplier) -> bool:
    """Whether this person may set the level: the owner, or whoever may for all."""
    return user.has_perm("health.set_any_override") or (supplier.owner_id == user.pk and user.has_perm("health.add_override"))


@transaction.atomic
def override(*, supplier: int, level: str, reason: str, until: datetime, by: User, at: datetime) -> Override:
    """The supplier has this level until then; one set before gives way.

    Raises:
        NotAllowed: this person may not.
        NotPossible: the supplier has no score now, or `until` is not within 90 days.
    """
    found = Supplier.objects.select_for_update(no_key=True).get(pk=supplier)  # of two at once the later one stands
    if not may(by, found):
        raise NotAllowed
    computed = Assessment.objects.filter(supplier=supplier, status="ok").values_list("level", flat=True).first()
    if computed is None or level not in LEVELS or not at < until <= at + LONGEST:
        raise NotPossible
    close(Override.objects.filter(supplier=supplier, ended_at=None), by=by, at=at)
    role = by.groups.order_by("-pk").values_list("name", flat=True).first() or "staff"
    made = Override.objects.create(supplier=found, level=level, reason=reason, computed_level=computed, by=by, by_role=role, at=at, until=until)
    events.publish(OverrideSet(level=level, computed=computed), supplier=supplier, at=at)
    return made


@transaction.atomic
def end(*, supplier: int, by: User, at: datetime) -> bool:
    """The computed level holds again, because a person says so; says whether there was another.

    Raises:
        NotAllowed: this person may not.
    """
    if not may(by, Supplier.objects.select_for_update(no_key=True).get(pk=supplier)):
        raise NotAllowed
    return close(Override.objects.filter(supplier=supplier, ended_at=None), by=by, at=at) > 0


@transaction.atomic
def expire(*, at: datetime) -> int:
    """Overrides whose time is over are ended, and that is told; says how many."""
    over = Override.objects.filter(ended_at=None, until__lte=at).order_by("supplier").select_for_update(skip_locked=True)
    return close(over, by=None, at=at)


def close(found: Iterable[Override], *, by: User | None, at: datetime) -> int:
    ended = list(found)
    for one in ended:
        one.ended_at, one.ended_by = at if by else one.until, by
        one.save(update_fields=["ended_at", "ended_by"])
        events.publish(OverrideEnded(level=one.level, by_itself=by is None), supplier=one.supplier_id, at=at)
    return len(ended)


def active(ids: Collection[int], *, at: datetime) -> dict[int, Override]:
    """The overrides in force of these suppliers, by supplier."""
    found = Override.objects.filter(supplier__in=ids, ended_at=None, until__gt=at).select_related("by")
    return {one.supplier_id: one for one in found}
