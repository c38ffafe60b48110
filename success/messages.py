"""Segment's messages, read and judged one by one. Pure: bytes in, items and refusals out."""

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

OLDEST = datetime(2000, 1, 1, tzinfo=UTC)
HISTORY_AFTER = timedelta(hours=24)  # what is told later than this after it happened is history
AHEAD = timedelta(minutes=5)  # a sender's clock may be this far ahead of ours
PAGE_VIEWED = "Page Viewed"
SIGN_IN_REPORTED = "$last_sign_in_at"
PAGE_KINDS = ("page", "screen")

Pointed = dict[str, str]
"""What is wrong and where: {"pointer": "/userId", "detail": ".."}."""


class Refused(Exception):
    """A message cannot be taken; `errors` say why, each with its pointer."""

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(detail)
        self.errors: list[Pointed] = [{"pointer": pointer, "detail": detail}]


class Context(msgspec.Struct):
    groupId: str | None = None
    app: Any = None
    library: Any = None


class Message(msgspec.Struct):
    """A message as Segment's libraries send it. Fields we do not know are passed over."""

    type: Any = None
    userId: str | None = None
    anonymousId: Any = None
    groupId: str | None = None
    messageId: str | None = None
    event: str | None = None
    name: str | None = None
    timestamp: str | None = None
    properties: dict[str, Any] | None = None
    traits: dict[str, Any] | None = None
    context: Context | None = None


class Batch(msgspec.Struct):
    batch: list[msgspec.Raw]


@dataclass(frozen=True, slots=True)
class Item:
    """A message that can be taken."""

    digest: bytes
    supplier: str
    actor: str | None
    event: str | None
    occurred_at: datetime
    clamped: bool
    properties: dict[str, Any] = field(default_factory=dict)
    traits: dict[str, Any] = field(default_factory=dict)
    person: str | None = None
    undeclared: tuple[str, ...] = ()
    told_at: datetime | None = None  # when a message of traits was made; occurred_at may be the sign-in it reports

    @property
    def made_at(self) -> datetime:
        return self.told_at or self.occurred_at


# ---------------------------------------------------------------- decoding

batch_decoder = msgspec.json.Decoder(Batch)
message_decoder = msgspec.json.Decoder(Message)
BRACKETS = bytes(c for c in range(256) if c not in b"[]{}")
EMPTY = re.compile(rb"\{\}|\[\]")
STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.S)  # one that never closes ends with the body: else each quote would search it anew


def deeper_than(body: bytes, limit: int) -> bool:
    """Whether JSON nests deeper than `limit`. Each pass takes the innermost level away, so it costs levels, not bytes of Python."""
    left = STRINGS.sub(b"", body).translate(None, BRACKETS)
    for _ in range(limit):
        shallower = EMPTY.sub(b"", left)
        if len(shallower) == len(left):
            return left.count(b"[") + left.count(b"{") > limit  # none left, or some never closed
        left = shallower
    return bool(left)


def read(raw: bytes | msgspec.Raw) -> Message:
    """One message from JSON.

    Raises:
        Refused: not an object, a field of the wrong type, a number out of range, a lone surrogate.
    """
    try:
        return message_decoder.decode(raw)
    except msgspec.ValidationError as error:
        detail, _, path = str(error).partition(" - at `$")
        raise Refused(path.rstrip("`").replace(".", "/").replace("[...]", "") or "", detail) from None
    except msgspec.DecodeError:
        raise Refused("", "Has a character that is not Unicode text, such as a lone surrogate.") from None


# ---------------------------------------------------------------- judging


def text(value: Any, pointer: str, limit: int) -> str:
    if not isinstance(value, str):
        raise Refused(pointer, "Must be text.")
    if len(value) > limit:
        raise Refused(pointer, f"Must have at most {limit} characters.")
    if "\0" in value:
        raise Refused(pointer, "Must not have a NUL character.")
    return value


def required(value: Any, pointer: str, limit: int) -> str:
    if value is None or value == "":
        raise Refused(pointer, "Is required.")
    return text(value, pointer, limit)


def instant(value: Any, pointer: str) -> datetime:
    """A time with its zone, from the year 2000 on."""
    try:
        at = datetime.fromisoformat(value)
        if at.tzinfo is None:
            raise Refused(pointer, "Needs a time zone, as in 2026-11-01T10:00:00Z.")
        at = at.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise Refused(pointer, "Must be a time as in 2026-11-01T10:00:00Z.") from None
    if at < OLDEST:
        raise Refused(pointer, "Must not be before the year 2000.")
    return at


def not_ahead(at: datetime | None, received_at: datetime) -> tuple[datetime, bool]:
    """The instant, or that of receipt when there is none or the sender's clock is more than five minutes ahead; and whether it was."""
    if at is None:
        return received_at, False
    return (received_at, True) if at > received_at + AHEAD else (at, False)


def digest_of(source_id: int, message_id: str) -> bytes:
    """128 bits of SHA-256 over (source, NUL, message id)."""
    return hashlib.sha256(b"%d\0%s" % (source_id, message_id.encode())).digest()[:16]


def kept(properties: dict[str, Any] | None, names: Iterable[str], context: Context | None) -> dict[str, Any]:
    """Of an event's properties those the catalogue lists, where they are numbers, booleans or short texts without `@`; of its context the release and library."""
    found = {name: properties[name] for name in names if name in properties} if properties else {}
    if context:
        found |= {
            name: about[key]
            for name, about, key in (("release", context.app, "version"), ("library", context.library, "name"))
            if isinstance(about, dict) and key in about
        }
    return {name: value for name, value in found.items() if harmless(name, value)}


def harmless(name: str, value: Any) -> bool:
    if isinstance(value, str):
        if "\0" in value:
            raise Refused(f"/properties/{name}", "Must not have a NUL character.")
        return "@" not in value and len(value) <= (128 if name == "client_id" else 64)
    return isinstance(value, bool | int | float) and abs(value) < 2**63


# ---------------------------------------------------------------- traits: what is taken, and as what

STATUSES = ("trial", "active", "past_due", "paused", "cancelled")


def short(limit: int) -> Callable[[Any, str], str]:
    return lambda value, pointer: "" if value is None else text(value, pointer, limit)


def status(value: Any, pointer: str) -> str:
    if value not in STATUSES:
        raise Refused(pointer, f"Must be one of {', '.join(STATUSES)}.")
    return str(value)


def money(value: Any, pointer: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12:
        raise Refused(pointer, "Must be a number from 0.")
    return float(value)


def currency(value: Any, pointer: str) -> str:
    if not isinstance(value, str) or not re.fullmatch("[A-Za-z]{3}", value):
        raise Refused(pointer, "Must be a code of three letters, as in EUR.")
    return value.upper()


def flag(value: Any, pointer: str) -> bool:
    if not isinstance(value, bool):
        raise Refused(pointer, "Must be true or false.")
    return value


def optional(read: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
    return lambda value, pointer: None if value is None else read(value, pointer)


PERSONAL: dict[str, Callable[[Any, str], Any]] = {
    "email": short(254), "name": short(200), "phone": short(40), "locale": short(35), "timezone": short(64),
}  # fmt: skip
BUSINESS: dict[str, Callable[[Any, str], Any]] = {
    "vertical": short(80), "plan": short(80), "status": status, "internal": flag, "owner": short(254), "currency": currency,
    "mrr": optional(money), "created_at": instant, "trial_ends_at": optional(instant), "renews_at": optional(instant), "cancelled_at": optional(instant),
}  # fmt: skip
NEVER_NULL = (status, flag, currency, instant)  # null says nothing there; elsewhere it empties the trait
TIME_OF_SIGN_IN = "last_sign_in_at"
ALIASES = {"createdAt": "created_at"}


def traits_of(sent: dict[str, Any], takes: dict[str, Callable[[Any, str], Any]], declared: frozenset[str]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The traits that are kept, checked, and the names of those that are not."""
    found: dict[str, Any] = {}
    undeclared = []
    for name, value in sent.items():
        name = ALIASES.get(name, name)
        pointer = f"/traits/{name}"
        if name in takes:
            if value is not None or takes[name] not in NEVER_NULL:
                found[name] = takes[name](value, pointer)
        elif name == TIME_OF_SIGN_IN:
            if value is not None:
                found[name] = instant(value, pointer)
        elif name in declared:
            found.setdefault("custom", {})[name] = custom(value, pointer)
        else:
            undeclared.append(text(name, "/traits", 200))
    return found, tuple(undeclared)


def custom(value: Any, pointer: str) -> Any:
    if isinstance(value, str):
        return text(value, pointer, 200)
    if value is None or isinstance(value, bool | int | float):
        return value
    raise Refused(pointer, "Must be text, a number, true or false.")


# ---------------------------------------------------------------- from a message to an item


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What the judge has to know of the catalogue: properties kept per event name, and custom fields."""

    kept: dict[str, list[str]]
    kept_by_default: list[str]
    custom_fields: frozenset[str]


def item(message: Message, *, kind: str, source_id: int, received_at: datetime, new_id: Callable[[], str], catalogue: Catalogue) -> Item:
    """What a message of `kind` (track, identify, page, screen, group) says.

    Raises:
        Refused: with a pointer to what is wrong.
    """
    supplier, actor = who(message, kind)
    message_id = text(message.messageId, "/messageId", 255) if message.messageId else new_id()
    digest = digest_of(source_id, message_id)
    sent_at = None if message.timestamp is None else instant(message.timestamp, "/timestamp")
    if kind in ("identify", "group"):
        takes = PERSONAL if kind == "identify" and actor else {**PERSONAL, **BUSINESS}
        traits, undeclared = traits_of(message.traits or {}, takes, catalogue.custom_fields)
        signed_in = traits.pop(TIME_OF_SIGN_IN, None)
        if "created_at" in traits:
            traits["created_at"] = not_ahead(traits["created_at"], received_at)[0]
        at, clamped = not_ahead(signed_in or sent_at, received_at)
        person = supplier if kind == "group" else actor or supplier
        return Item(
            digest, supplier, actor, SIGN_IN_REPORTED if signed_in else None, at, clamped, {}, traits, person, undeclared, not_ahead(sent_at, received_at)[0]
        )
    event = required(message.event, "/event", 200) if kind == "track" else PAGE_VIEWED
    page = {"page": message.name} if kind in PAGE_KINDS and message.name else {}
    properties = kept({**(message.properties or {}), **page}, catalogue.kept.get(event, catalogue.kept_by_default), message.context)
    return Item(digest, supplier, actor, event, *not_ahead(sent_at, received_at), properties)


def who(message: Message, kind: str) -> tuple[str, str | None]:
    """The supplier, and the person when it is another: with `groupId` that is the supplier and `userId` the person."""
    if kind == "group":
        supplier = account(required(message.groupId, "/groupId", 128), "/groupId")
        return supplier, text(message.userId, "/userId", 128) if message.userId else None
    if kind not in ("track", "identify", *PAGE_KINDS):
        raise Refused("/type", "Must be track, identify, page, screen or group.")
    if not message.userId:
        raise Refused("/userId", "Is required: a message with an anonymousId alone belongs to nobody yet." if message.anonymousId else "Is required.")
    person = text(message.userId, "/userId", 128)
    group = message.groupId or (message.context.groupId if message.context else None)
    return (account(text(group, "/context/groupId", 128), "/context/groupId"), person) if group else (account(person, "/userId"), None)


def account(supplier: str, pointer: str) -> str:
    """The id of a supplier; the one word that the API means otherwise is refused."""
    if supplier == "me":
        raise Refused(pointer, "Must not be the word me, which in the API stands for whoever asks.")
    return supplier
