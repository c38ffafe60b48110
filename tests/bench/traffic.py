"""Batches of 1,000 messages as a product's server sends them, each in the forms that the ways of taking them in need."""

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from success import activity, messages
from tests.bench import population

SIZE = 1_000
SUPPLIERS = 250  # that speak in a batch
NAMES = [*population.NAMES, *["Client Active"] * 3]


@dataclass(frozen=True, slots=True)
class Message:
    id: str
    supplier: int
    event: str
    at: datetime
    properties: dict[str, str] | None


def batch(generator: random.Random, *, suppliers: int, at: datetime) -> list[Message]:
    """What a part of the suppliers did within the last minute."""
    speaking = [generator.randint(1, suppliers) for _ in range(SUPPLIERS)]
    return [message(generator, generator.choice(speaking), at) for _ in range(SIZE)]


def message(generator: random.Random, supplier: int, at: datetime) -> Message:
    event = generator.choice(NAMES)
    properties = {"client_id": f"client-{generator.randint(1, 5)}"} if event == "Client Active" else {"page": "/forms"} if event == "Page Viewed" else None
    return Message(str(uuid.UUID(int=generator.getrandbits(128))), supplier, event, at - timedelta(seconds=generator.random() * 60), properties)


def batches(count: int, *, seed: int, suppliers: int, at: datetime) -> list[list[Message]]:
    generator = random.Random(seed)
    return [batch(generator, suppliers=suppliers, at=at) for _ in range(count)]


def as_segment(batch: list[Message]) -> bytes:
    """The body of POST /v1/batch."""
    return msgspec.json.encode({"batch": [{
        "type": "track", "userId": f"supplier-{one.supplier}", "messageId": one.id, "event": one.event, "timestamp": one.at.isoformat(),
        **({"properties": one.properties} if one.properties else {}),
    } for one in batch]})  # fmt: skip


def as_rows(batch: list[Message], *, source: int, at: datetime, events: dict[str, int]) -> Iterator[dict[str, object]]:
    """The columns of success_activity by name."""
    for one in batch:
        yield {
            "message": uuid.UUID(bytes=messages.digest_of(source, one.id)), "received_at": at, "occurred_at": one.at, "supplier_id": one.supplier,
            "source_id": source, "event_id": events[one.event], "clamped": False, "properties": one.properties,
        }  # fmt: skip


def as_parameters(batch: list[Message], *, source: int, at: datetime, events: dict[str, int]) -> list[object]:
    """The parameters of `success.activity.STORE`."""
    items = [
        messages.Item(messages.digest_of(source, one.id), str(one.supplier), None, one.event, one.at, False, dict(one.properties or {}))
        for one in batch
    ]  # fmt: skip
    return activity.store_params(items, {item.supplier: int(item.supplier) for item in items}, events, source, at)


def as_copy(batch: list[Message], *, source: int, at: datetime, events: dict[str, int]) -> bytes:
    """The lines of COPY success_activity FROM STDIN."""
    rows = as_rows(batch, source=source, at=at, events=events)
    return b"".join(
        f"{row['message']}\t{at.isoformat()}\t{row['occurred_at'].isoformat()}\t{row['supplier_id']}\t{source}\t{row['event_id']}\tf\t\\N\t".encode()  # type: ignore[attr-defined]
        + (msgspec.json.encode(row["properties"]) if row["properties"] else b"\\N")
        + b"\n"
        for row in rows
    )


def encode_rows(batch: list[Message], *, source: int, at: datetime, events: dict[str, int]) -> bytes:
    """The rows as JSON."""
    return msgspec.json.encode(list(as_rows(batch, source=source, at=at, events=events)))
