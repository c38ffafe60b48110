"""An open page: what is to be written to it, and to what it has got. Nothing here waits without end."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any

from success.stream.tickets import Ticket
from success.stream.wire import HEARTBEAT, Item, frame, goodbye

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
MOST_BEHIND = 1024 * 1024  # bytes


class Page:
    """One open page. What is said to it before `begin` waits, so that nothing falls between reading the database and listening."""

    __slots__ = ("_behind", "_ended", "_frames", "_held", "_stuck_at", "_wake", "_writes", "_writing", "name", "place", "ticket", "turn", "writer")

    def __init__(self, ticket: Ticket) -> None:
        self.ticket = ticket
        self.name = f"{time.time_ns():020}-{secrets.token_hex(4)}"  # sorts by when it was opened
        self.place = 0  # up to where it was told
        self.turn = 0  # of the heartbeat
        self.writer: asyncio.Task[None] | None = None
        self._frames: list[bytes] = []  # a deque takes half a kilobyte while it is empty
        self._held: list[Item] | None = []
        self._wake: asyncio.Future[None] | None = None
        self._writing = self._ended = False
        self._behind, self._writes, self._stuck_at = 0, 0, -1

    def begin(self, missed: Sequence[Item], *, place: int) -> None:
        """It is told what it missed up to this place, from where it comes back if it hears no more, and what came meanwhile."""
        for item in missed:
            self._put(item.frame())
        self._put(frame("hello", "{}", place=place))
        held, self._held, self.place = self._held or [], None, place
        for item in held:
            self.tell(item)

    def tell(self, item: Item) -> None:
        """It is told once; up to what place it was told is kept."""
        if self._held is not None:
            self._held.append(item)
        elif item.place > self.place:
            self.place = item.place
            self._put(item.frame())

    def beat(self) -> None:
        """It hears that the stream lives; one that is still at what it was at the last time is too slow."""
        if not self._writing:
            self._put(HEARTBEAT)
        elif self._stuck_at == self._writes:
            self.drop()
        self._stuck_at = self._writes

    def end(self, reason: str) -> None:
        """It hears why, and is closed."""
        self._put(goodbye(reason))
        self._ended = True

    def drop(self) -> None:
        """It is closed as it is."""
        self._ended = True
        if self.writer:
            self.writer.cancel()

    def _put(self, said: bytes) -> None:
        if self._ended:
            return
        self._frames.append(said)
        self._behind += len(said)
        if self._behind > MOST_BEHIND:
            self.drop()
        elif self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    async def write(self, first: bytes, send: Send) -> None:
        """Writes these bytes, then all that is said, until the page is closed."""
        self._frames.insert(0, first)
        while True:
            if self._frames:
                body = b"".join(self._frames)
                self._frames.clear()
                self._behind, self._writing, self._writes = 0, True, self._writes + 1
                await send({"type": "http.response.body", "body": body, "more_body": True})
                self._writing = False
            elif self._ended:
                return await send({"type": "http.response.body", "body": b""})
            else:
                self._wake = asyncio.get_running_loop().create_future()
                await self._wake
