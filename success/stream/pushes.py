"""What goes to open pages is written down here, in the transaction that makes it true, and dispatched from there."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from success.models.stream import Push

CELEBRATION, NOTIFICATION = "celebration", "notification"


@dataclass(frozen=True, kw_only=True)
class Said:
    """One thing to say to a supplier's open pages. A second of the same `key` changes nothing; one that `waits` is said until it is settled."""

    supplier: int
    event: str
    key: str
    data: Mapping[str, Any] = field(default_factory=dict)
    waits: bool = False
    at: datetime | None = None  # not before; without it at once


def push_all(said: Sequence[Said], *, at: datetime) -> int:
    """Said to whoever has a page open once this transaction has committed; says how many were asked for."""
    rows = [Push(supplier_id=one.supplier, event=one.event, key=one.key, data=dict(one.data), waits=one.waits, at=one.at or at) for one in said]
    Push.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def settle(keys: Collection[str], *, at: datetime) -> int:
    """What was said under these keys, or was to be, is said to no page any more; says how much that was."""
    return Push.objects.filter(key__in=keys, settled_at=None).update(settled_at=at)


def hush(supplier: int, *, at: datetime) -> int:
    """Nothing waits for her pages any more; says how much did."""
    return Push.objects.filter(supplier=supplier, waits=True, settled_at=None).update(settled_at=at)


KEPT, KEPT_WAITING = timedelta(days=30), timedelta(days=90)


def forget(*, at: datetime) -> int:
    """What was said a month ago goes, and what waited for three; says how much."""
    waits = Q(waits=True, settled_at=None)
    return Push.objects.filter(Q(at__lt=at - KEPT) & ~waits | Q(at__lt=at - KEPT_WAITING)).delete()[0]
