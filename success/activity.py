"""ActivityTracker: takes in what suppliers do, each message once and for ever. The fold (`sql/fold.sql`) counts it in the same transaction."""

import random
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
from django.db import transaction

from success import catalogue, db, messages, suppliers
from success.messages import Item, Message, Pointed, Refused
from success.models import Source, Supplier


@dataclass(frozen=True, slots=True)
class Refusal:
    index: int
    message_id: str | None
    errors: list[Pointed]


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of items: how many were new, the places of those that belong to the erased, and what tells each from a duplicate."""

    accepted: int = 0
    forgotten: list[int] = field(default_factory=list)
    ids: dict[str, int] = field(default_factory=dict)
    first: dict[bytes, Item] = field(default_factory=dict)  # of those with one digest the first
    fresh: set[bytes] = field(default_factory=set)  # digests never seen before

    def is_new(self, item: Item) -> bool:
        """Whether this item was stored, and not one before it with the same id."""
        return item.digest in self.fresh and self.first[item.digest] is item


Sent = list[tuple[Message | None, Item | None]]
"""Messages in their order as they were read, and what they say where they could be taken."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a batch: accepted + duplicates + refused is what was sent."""

    accepted: int
    duplicates: int
    refused: list[Refusal]
    sent: Sent = field(default_factory=list)
    stored: Stored = field(default_factory=Stored)


STORE = """
with item as materialized (
    select * from unnest(%s::uuid[], %s::bigint[], %s::integer[], %s::timestamptz[], %s::boolean[], %s::text[], %s::jsonb[])
    as x (digest, supplier_id, event_id, occurred_at, clamped, actor, properties)
), fresh as (
    insert into success_messagekey (digest) select distinct digest from item order by digest on conflict do nothing returning digest as k
), stored as (
    insert into success_activity (message, received_at, occurred_at, supplier_id, source_id, event_id, clamped, actor, properties)
    select distinct on (digest) digest, %s, occurred_at, supplier_id, %s, event_id, clamped, actor, properties
    from item join fresh on k = digest where event_id is not null order by digest
)
select k from fresh
"""


def take(
    raw: Sequence[bytes | msgspec.Raw],
    *,
    kind: str | None,
    source: Source,
    received_at: datetime,
    new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
) -> Receipt:
    """Takes in messages as Segment's libraries send them, and answers for each. `kind` is that of all, else each names its own `type`."""
    known = catalogue.current()
    sent: Sent = []
    refused: list[Refusal] = []
    for index, one in enumerate(raw):
        message = item = None
        try:
            message = messages.read(one)
            item = messages.item(
                message,
                kind=kind or str(message.type or ""),
                source_id=source.pk,
                received_at=received_at,
                new_id=new_id,
                catalogue=known,
            )
        except Refused as error:
            refused.append(Refusal(index, message.messageId if message else None, error.errors))
        sent.append((message, item))
    taken = [item for _, item in sent if item]
    stored = record(taken, source=source, received_at=received_at)
    refused += [Refusal(index, sent[index][0].messageId, FORGOTTEN) for index in places(sent, stored.forgotten)]  # type: ignore[union-attr]  # what was taken was read
    refused.sort(key=lambda refusal: refusal.index)
    return Receipt(stored.accepted, len(taken) - len(stored.forgotten) - stored.accepted, refused, sent, stored)


FORGOTTEN: list[Pointed] = [{"pointer": "/userId", "detail": "This supplier asked to be forgotten."}]


def places(sent: Sent, taken: Sequence[int]) -> list[int]:
    """Where in the batch those stand that are at these places among the taken."""
    if not taken:
        return []
    where = [index for index, (_, item) in enumerate(sent) if item]
    return [where[place] for place in taken]


def record(items: Sequence[Item], *, source: Source, received_at: datetime) -> Stored:
    """Stores items in one transaction, and says what became of them.

    The locks are taken in the order of every writer: suppliers, message keys, roll-ups, facts, clients.
    """
    if not items:
        return Stored()
    with db.patient():
        first_seen: dict[str, datetime] = {}
        for item in items:
            first_seen[item.supplier] = min(first_seen.get(item.supplier, item.made_at), item.made_at)
        ids = suppliers.resolve(first_seen, source=source, at=received_at)
        events = catalogue.ids_of({item.event for item in items if item.event})
        transaction.on_commit(lambda: catalogue.remember(events))
        forgotten = [place for place, item in enumerate(items) if item.supplier not in ids]
        # Of a message that stands twice in the batch the first counts, for its traits too.
        first = {item.digest: item for item in reversed(items) if item.supplier in ids}
        allowed = list(first.values())[::-1]
        locked = suppliers.lock(ids[item.supplier] for item in allowed if item.traits)
        fresh = {digest.bytes for (digest,) in db.prepared(STORE, store_params(allowed, ids, events, source.pk, received_at))}
        apply_traits([item for item in allowed if item.person and item.digest in fresh], ids, locked, at=received_at)
        return Stored(len(fresh), forgotten, ids, first, fresh)


def store_params(items: Sequence[Item], ids: dict[str, int], events: dict[str, int], source_id: int, received_at: datetime) -> list[object]:
    encode = msgspec.json.encode
    gone = suppliers.erased_among((item.actor for item in items if item.actor), kind=suppliers.PERSON)
    return [
        literal(item.digest.hex() for item in items),
        literal(str(ids[item.supplier]) for item in items),
        literal(str(events[item.event]) if item.event else "null" for item in items),
        literal(item.occurred_at.isoformat() for item in items),
        literal("t" if item.clamped else "f" for item in items),
        [None if item.actor in gone else item.actor for item in items],
        [encode(item.properties).decode() if item.properties else None for item in items],
        received_at,
        source_id,
    ]


def literal(values: Iterable[str]) -> str:
    """An array as PostgreSQL writes it, of values that need no quotes: the driver looks at each for some."""
    return "{" + ",".join(values) + "}"


def apply_traits(items: Sequence[Item], ids: dict[str, int], locked: Mapping[int, Supplier], *, at: datetime) -> None:
    """Applies the traits of new messages; those told a day late or more are history, and silent."""
    undeclared = Counter(name for item in items for name in item.undeclared)
    catalogue.count_undeclared(undeclared, bucket=random.randrange(16))  # noqa: S311  (spreads writers, hides nothing)
    in_order = sorted((item for item in items if item.traits), key=lambda item: (ids[item.supplier], item.made_at))
    late = [item for item in in_order if item.made_at < at - messages.HISTORY_AFTER]
    if late:
        with db.history():
            set_traits(late, ids, locked, at=at)
    set_traits([item for item in in_order if item.made_at >= at - messages.HISTORY_AFTER], ids, locked, at=at)


def set_traits(items: Iterable[Item], ids: dict[str, int], locked: Mapping[int, Supplier], *, at: datetime) -> None:
    for item in items:
        supplier, person = locked[ids[item.supplier]], item.person or item.supplier
        suppliers.update(supplier, item.traits, at=at, said_at=item.made_at)
        suppliers.update_contact(supplier.pk, person, item.traits, is_primary=person == item.supplier, said_at=item.made_at)


def ensure_partitions(*, now: datetime, months: int = 3) -> int:
    """Makes the partitions of this month and the next few; says how many were missing."""
    return int(db.rows("select success_make_partitions(%s, %s + make_interval(months => %s))", [now, now, months])[0][0])
