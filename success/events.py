"""Published events: what happened, told in the transaction that made it true."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

import msgspec
from django.db import connection

from success import db


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


PUBLISH = """insert into success_event (name, supplier_id, at, payload) select name, supplier_id, %s, payload
    from rows from (jsonb_to_recordset(%s::jsonb) as (name text, supplier_id bigint, payload jsonb)) with ordinality as x (name, supplier_id, payload, place)
    order by place"""


def publish_all(facts: Sequence[tuple[int | None, Fact]], *, at: datetime) -> int:
    """Writes many events at once and says how many. Raises NoTransaction as `publish` does."""
    if not connection.in_atomic_block:
        raise NoTransaction
    if facts:
        told = msgspec.json.encode([{"name": fact.name, "supplier_id": supplier, "payload": fact} for supplier, fact in facts])
        db.execute(PUBLISH, [at, told.decode()])
    return len(facts)
