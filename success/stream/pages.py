"""An open page: what is to be written to it, and to what it has got. Nothing here waits without end."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from success.stream.tickets import Ticket
from success.stream.wire import HEARTBEAT, Item, goodbye

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
MOST_WAITING = 200  # frames a page may be behind


class Page:
    """One open page. What is said to it before `begin` waits, so that nothing falls between reading the database and listening."""

    __slots__ = ("_ended", "_frames", "_held", "_stuck_at", "_wake", "_writes", "_writing", "name", "place", "ticket", "writer")

    def __init__(self, ticket: Ticket, *, name: str) -> None:
        self.ticket, self.name = ticket, name
        self.place = 0  # the last it was told
        self.writer: asyncio.Task[None] | None = None
        self._frames: deque[bytes] = deque()
        self._held: list[Item] | None = []
        self._wake: asyncio.Future[None] | None = None
        self._writing = self._ended = False
        self._writes, self._stuck_at = 0, -1

    def begin(self, missed: list[Item], *, place: int) -> None:
        """It is told what it missed, then what came meanwhile, in the order of places and each once."""
        told, held = {item.place for item in missed}, self._held or []
        self.place, self._held = place, None
        for item in sorted([*missed, *(one for one in held if one.place not in told)], key=lambda item: item.place):
            self._put(item.frame())
            self.place = max(self.place, item.place)

    def tell(self, item: Item) -> None:
        """It is told once; to what place it was told is kept."""
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

    def _put(self, frame: bytes) -> None:
        if self._ended:
            return
        self._frames.append(frame)
        if len(self._frames) > MOST_WAITING:
            self.drop()
        elif self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    async def write(self, send: Send) -> None:
        """Writes what there is until the page is closed."""
        while True:
            if self._frames:
                body = b"".join(self._frames)
                self._frames.clear()
                self._writing, self._writes = True, self._writes + 1
                await send({"type": "http.response.body", "body": body, "more_body": True})
                self._writing = False
            elif self._ended:
                return
            else:
                self._wake = asyncio.get_running_loop().create_future()
                await self._wake
