"""ActivityTracker, watched: the last items that came with each key and what became of them, in a list of Redis that may be lost.

A line holds nobody's words: of the supplier our own key, of a trait or property neither name nor value, of a refusal what is wrong and not what was sent.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from django.db import DatabaseError, InterfaceError
from psycopg_pool import PoolTimeout

from success import catalogue, limits, messages, suppliers
from success.activity import Receipt
from success.logs import without_addresses
from success.messages import Message, Pointed
from success.models import ApiKey

MOST = 200  # lines of a key
TOGETHER = 20  # lines in an entry of the list: each entry costs as much as ten lines to send
KEPT_FOR = timedelta(days=7)  # after the last
LONGEST = 300  # characters of a reason
OUTCOMES = ACCEPTED, DUPLICATE, REFUSED = "accepted", "duplicate", "refused"
KINDS = ("track", "identify", "group", *messages.PAGE_KINDS)


class Line(msgspec.Struct, array_like=True, frozen=True):
    """An item: when it came (seconds since 1970), the event or kind of message (none of a whole request), whose it is, what became of it, and why."""

    seconds: float
    what: str
    supplier: int | None
    outcome: str
    reason: str = ""

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)


encoder = msgspec.json.Encoder()
decoder = msgspec.json.Decoder(list[Line])


# ---------------------------------------------------------------- what there is to tell


def lines(receipt: Receipt, *, kind: str | None, at: datetime) -> list[Line]:
    """The last items of a request, in the order they were sent."""
    first, seconds, stored = max(0, len(receipt.sent) - MOST), at.timestamp(), receipt.stored
    refused = {one.index: one.errors for one in receipt.refused if one.index >= first}
    known = known_of([message for index in refused if (message := receipt.sent[index][0])], kind)
    found = []
    for index, (message, item) in enumerate(receipt.sent[first:], first):
        if index in refused:
            found.append(Line(seconds, what(message, kind), known.get(whose(message, kind)), REFUSED, reason(refused[index])))
        elif item:
            found.append(Line(seconds, what(message, kind), stored.ids[item.supplier], ACCEPTED if stored.is_new(item) else DUPLICATE))
    return found


def whole(problem: dict[str, object], *, at: datetime) -> Line:
    """A request that was refused before its items were looked at; `problem` is its answer."""
    errors = problem.get("errors")
    why = reason(errors) if isinstance(errors, list) else str(problem.get("detail", ""))
    return Line(at.timestamp(), "", None, REFUSED, why)


def what(message: Message | None, kind: str | None) -> str:
    """The event's name without addresses, or the kind of message."""
    said = kind or (message.type if message else "")
    if said not in KINDS:
        return ""
    if said != "track" or not message or not message.event:
        return str(said)
    name = message.event
    if len(name) > catalogue.LONGEST:
        return str(said)
    return without_addresses(name) if "@" in name else name


def whose(message: Message | None, kind: str | None) -> str:
    """The supplier's id in a message that was refused; none where that is what is wrong."""
    try:
        return messages.who(message, kind or str(message.type or ""))[0] if message else ""
    except messages.Refused:
        return ""


def known_of(refused: Iterable[Message], kind: str | None) -> dict[str, int]:
    """Our keys of the suppliers that refused messages name. The answer is decided, so a database that is away takes nothing from it."""
    names = {whose(message, kind) for message in refused} - {""}
    try:
        return suppliers.ids_of(sorted(names)) if names else {}
    except (DatabaseError, InterfaceError, PoolTimeout):
        return {}


def reason(errors: Sequence[Pointed]) -> str:
    return "; ".join(": ".join(filter(None, (error["pointer"], error["detail"]))) for error in errors)[:LONGEST]


# ---------------------------------------------------------------- the list of a key


def tell(key: int, found: Sequence[Line]) -> None:
    """The lines stand at the head of the key's list, the last foremost. With Redis away they are lost, and nobody waits for it."""
    if found:
        entries = [encoder.encode(found[place : place + TOGETHER]) for place in range(0, len(found), TOGETHER)]
        limits.ask(lambda: push(list_of(key), entries))


def push(name: str, entries: Sequence[bytes]) -> None:
    with limits.client().pipeline(transaction=False) as pipe:
        pipe.lpush(name, *entries)
        pipe.ltrim(name, 0, MOST - 1)
        pipe.expire(name, KEPT_FOR)
        pipe.execute()


def list_of(key: int) -> str:
    return f"arrivals:{key}"


def latest(key: int) -> list[Line] | None:
    """What came last with a key, newest first; None while Redis is away."""
    entries = limits.ask(lambda: limits.client().lrange(list_of(key), 0, MOST - 1))
    return None if entries is None else [line for entry in entries for line in reversed(decoded(entry))][:MOST]


def decoded(entry: bytes | str) -> list[Line]:
    """The lines of an entry; none of one that another release wrote otherwise."""
    try:
        return decoder.decode(entry)
    except msgspec.DecodeError:
        return []


def forget(supplier: int) -> None:
    """No list has a line of this supplier's; with Redis away they go when their time is over."""
    names = [list_of(key) for key in ApiKey.objects.values_list("pk", flat=True)]
    limits.ask(lambda: remove(names, supplier))


def remove(names: Iterable[str], supplier: int) -> None:
    """Entry by entry, each found again by what it holds, so that what arrives meanwhile stays."""
    redis = limits.client()
    for name in names:
        for entry in {*redis.lrange(name, 0, -1)}:
            found = decoded(entry)
            left = [line for line in found if line.supplier != supplier]
            if len(left) < len(found):
                with redis.pipeline() as pipe:
                    pipe.linsert(name, "before", entry, encoder.encode(left))  # type: ignore[arg-type]  # bytes are as good
                    pipe.lrem(name, 0, entry)  # type: ignore[arg-type]
                    pipe.execute()
