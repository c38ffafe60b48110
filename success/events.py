"""Published events: what happened, told in the transaction that made it true, and delivered to each subscriber by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol

import msgspec
from django.db import connection

from success import db, due
from success.models import Delivery, Event

DELIVERIES = "success.deliver"


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


PUBLISH = """with event as (
        insert into success_event (name, supplier_id, at, payload) select name, supplier_id, %(at)s, payload
        from rows from (jsonb_to_recordset(%(told)s::jsonb) as (name text, supplier_id bigint, payload jsonb))
            with ordinality as x (name, supplier_id, payload, place)
        order by place returning id, name, supplier_id
    )
    insert into success_delivery (event_id, supplier_id, subscriber, due_at)
    select e.id, e.supplier_id, s.subscriber, %(at)s from event e join unnest(%(names)s::text[], %(subscribers)s::text[]) as s (name, subscriber) on s.name = e.name
    order by e.id, s.subscriber"""


def publish_all(facts: Sequence[tuple[int | None, Fact]], *, at: datetime) -> int:
    """Writes many events at once, and a delivery of each for every subscriber; says how many events. Raises NoTransaction as `publish` does."""
    if not connection.in_atomic_block:
        raise NoTransaction
    if facts:
        told = msgspec.json.encode([{"name": fact.name, "supplier_id": supplier, "payload": fact} for supplier, fact in facts])
        names, subscribers = zip(*((one.name, one.by) for one in _subscriptions.values()), strict=True) if _subscriptions else ((), ())
        if db.execute(PUBLISH, {"at": at, "told": told.decode(), "names": list(names), "subscribers": list(subscribers)}):
            due.hint(DELIVERIES)
    return len(facts)


# ---------------------------------------------------------------- subscribers


class Handle(Protocol):
    def __call__(self, *, event: Event, at: datetime) -> None: ...


@dataclass(frozen=True)
class Subscription:
    """Who is told of which event. `handle` touches only the database: what it writes and that it was told are one transaction."""

    name: str
    by: str
    handle: Handle


_subscriptions: dict[tuple[str, str], Subscription] = {}


def subscribe(name: str, *, by: str, handle: Handle) -> None:
    """From an app's module `subscribers`: events of this name are delivered from now on."""
    _subscriptions[name, by] = Subscription(name, by, handle)


def subscribers() -> list[str]:
    """The names of all who are told of something."""
    return sorted({by for _, by in _subscriptions})


def deliver(row: Any, *, at: datetime) -> due.Outcome:
    """The subscriber is told, exactly once."""
    delivery: Delivery = row
    found = _subscriptions.get((delivery.event.name, delivery.subscriber))
    if found is None:
        return due.Refused("Nobody subscribes by this name any more: drop it, or bring the subscriber back and try again.")
    found.handle(event=delivery.event, at=at)
    return due.Accepted()
