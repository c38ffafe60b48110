"""How the stream is doing: what waits for the dispatcher, and how many pages are open where."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from success import db, limits
from success.stream.wire import SERVERS


@dataclass(frozen=True, slots=True)
class Figures:
    """What waits for the dispatcher and how long the first does (seconds); by stream server how many pages are open, None while Redis is away."""

    waiting: int
    oldest: float
    servers: Mapping[str, int] | None

    @property
    def open(self) -> int:
        return sum((self.servers or {}).values())


WAITING = "select count(*), coalesce(extract(epoch from %(at)s - min(at)), 0)::float8 from success_push where place is null and at <= %(at)s"
SILENT = 30  # seconds after which a server that says nothing is none


def figures(*, at: datetime) -> Figures:
    ((waiting, oldest),) = db.rows(WAITING, {"at": at})
    return Figures(waiting, oldest, servers(now=time.time()))


def servers(*, now: float) -> dict[str, int] | None:
    """By server how many pages are open; those that went without a word are forgotten."""
    said: Any = limits.ask(lambda: limits.client().hgetall(SERVERS))
    if said is None:
        return None
    found = dict(alive(said, now=now))
    if gone := [server for server in said if server.decode() not in found]:
        limits.ask(lambda: limits.client().hdel(SERVERS, *gone))
    return found


def alive(said: Mapping[bytes, bytes], *, now: float) -> Iterator[tuple[str, int]]:
    """The servers that spoke a moment ago, each with how many pages it has open."""
    for server, words in sorted(said.items()):
        n, spoke = words.split()
        if now - int(spoke) < SILENT:
            yield server.decode(), int(n)
