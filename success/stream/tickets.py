"""Tickets to the stream: a page shows one in its address, where it may be logged, so it is good for half a minute and for one use."""

import secrets
from hashlib import sha256

import msgspec

from success import limits

GOOD_FOR = 30  # seconds


class Ticket(msgspec.Struct, frozen=True):
    """What a ticket lets in: one supplier's pages, for one user, while the token lives (seconds since 1970) or the key is good.

    `name` is a hash of her external id: once she is erased it is another, and the stream ends.
    """

    supplier: int
    name: str
    user: str
    until: float | None = None
    key: int | None = None


class Away(Exception):
    """Redis is away: no ticket can be kept."""


def digest_of(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:32]


def place_of(ticket: str) -> str:
    """Where Redis keeps it: what is shown is not what is stored."""
    return f"ticket:{sha256(ticket.encode(errors='replace')).hexdigest()}"


def issue(ticket: Ticket) -> str:
    """The text of a new ticket, which cannot be had again. Raises Away."""
    text = secrets.token_urlsafe(24)
    kept = limits.ask(lambda: limits.client().set(place_of(text), msgspec.json.encode(ticket), ex=GOOD_FOR))
    if not kept:
        raise Away
    return text


def read(kept: bytes | str | None) -> Ticket | None:
    """What Redis had kept, if it had anything."""
    return None if kept is None else msgspec.json.decode(kept, type=Ticket)
