"""Published events: what happened, told in the transaction that made it true."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import ClassVar

from django.db import connection

from success.models import Event


@dataclass(frozen=True)
class Fact:
    """Base of the published events. A subclass has a dotted name and a docstring; together they are the catalogue of outgoing webhooks."""

    name: ClassVar[str]


class NoTransaction(Exception):
    """An event is published in the transaction that makes it true, or not at all."""


def publish(fact: Fact, *, supplier: int | None, at: datetime) -> None:
    """Writes the event beside what made it true.

    Raises:
        NoTransaction: there is none open.
    """
    publish_all([(supplier, fact)], at=at)


def publish_all(facts: Iterable[tuple[int | None, Fact]], *, at: datetime) -> int:
    """Writes many events at once and says how many. Raises NoTransaction as `publish` does."""
    if not connection.in_atomic_block:
        raise NoTransaction
    return len(
        Event.objects.bulk_create([Event(name=fact.name, supplier_id=supplier, at=at, payload=asdict(fact)) for supplier, fact in facts], batch_size=1000)
    )
