"""What a record of activity says: its values by the columns the user named, or a message as Segment's libraries send it. Pure."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from success import messages
from success.imports.files import DEPTH, Chunk, File, Record, Reject, reason_of
from success.messages import Catalogue, Item, Refused

STAGED = ("message_id", "user_id", "group_id", "event", "timestamp", "properties", "extra")
ABOUT_PEOPLE = ("identify", "group")
Values = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Columns:
    """Which column (or field of a flat object) says what. With a group, that is the supplier, and the user the person."""

    message_id: str = "message_id"
    user_id: str = "user_id"
    event: str = "event"
    timestamp: str = "timestamp"
    group_id: str = ""
    properties: str = ""


@dataclass(slots=True)
class Parsed:
    """A chunk taken apart: rows as CSV to be staged, lines that cannot be, and what only says who people are."""

    rows: bytes = b""
    rejects: list[Reject] = field(default_factory=list)
    traits: list[tuple[int, Item]] = field(default_factory=list)


def parse(file: File, chunk: Chunk, *, columns: Columns, known: Catalogue, source_id: int, at: datetime) -> Parsed:
    """Every record of a chunk is a row, a reject or traits."""
    parsed, rows = Parsed(), io.StringIO()
    write = csv.writer(rows).writerow
    for record in file.records(chunk):
        try:
            found = said(record, columns, known, source_id=source_id, at=at)
        except Refused as refused:
            parsed.rejects.append(Reject(record.line, reason_of(refused)))
            continue
        if isinstance(found, Item):
            parsed.traits.append((record.line, found))
        else:
            write((record.line, *found))
    parsed.rows = rows.getvalue().encode()
    return parsed


def said(record: Record, columns: Columns, known: Catalogue, *, source_id: int, at: datetime) -> Values | Item:
    """What a record says, in the order of STAGED; or the item, when it says who somebody is.

    Raises:
        Refused: it cannot be read, or breaks a rule of ingest.
    """
    values = record.values
    if values is None:
        raise Refused("", record.reason)
    if columns.user_id not in values and ("type" in values or "userId" in values):
        return of_segment(record, known, source_id=source_id, at=at)
    sent = values.get(columns.properties) if columns.properties else None
    event = plain(values, columns.event)
    kept = messages.kept(properties_of(sent, columns.properties), known.kept.get(event or "", known.kept_by_default), None)
    return (
        plain(values, columns.message_id),
        plain(values, columns.user_id),
        plain(values, columns.group_id),
        event,
        plain(values, columns.timestamp),
        encoded(kept),
        sent if isinstance(sent, str) else encoded(sent),
    )


def of_segment(record: Record, known: Catalogue, *, source_id: int, at: datetime) -> Values | Item:
    message = messages.read(record.raw)
    kind = str(message.type or "track")
    item = messages.item(message, kind=kind, source_id=source_id, received_at=at, new_id=lambda: f"line {record.raw.decode()}", catalogue=known)
    if kind in ABOUT_PEOPLE:
        return item
    user, group = (item.actor, item.supplier) if item.actor else (item.supplier, None)
    return message.messageId, user, group, item.event, message.timestamp, encoded(item.properties), encoded(message.properties)


def plain(values: Mapping[str, Any], name: str) -> str | None:
    """Text, or a whole number as text: ids are often numbers in other people's files."""
    value = values.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise Refused(name, "Must be text.")
    if "\0" in value:
        raise Refused(name, "Must not have a NUL character.")
    return value


def properties_of(sent: Any, name: str) -> dict[str, Any]:
    if isinstance(sent, str) and sent:
        if messages.deeper_than(sent.encode(), DEPTH):
            raise Refused(name, f"Nests deeper than {DEPTH} levels.")
        try:
            sent = msgspec.json.decode(sent)
        except (msgspec.DecodeError, RecursionError):
            raise Refused(name, "Is not JSON.") from None
    if sent in (None, ""):
        return {}
    if not isinstance(sent, dict):
        raise Refused(name, "Must be a JSON object.")
    return sent


def encoded(value: Any) -> str | None:
    return msgspec.json.encode(value).decode() if value else None
