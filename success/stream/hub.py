"""All open pages of one stream server: what the dispatcher says is told to them, and who may stay is looked at again."""

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
import psycopg
import structlog
from django.conf import settings
from psycopg_pool import PoolTimeout
from redis.exceptions import RedisError

from success.stream import reading, rooms
from success.stream.pages import Page
from success.stream.tickets import Ticket, place_of, read
from success.stream.wire import GOODBYES, PUSHES, Batch, Item

log = structlog.get_logger(__name__)

AWAY = (psycopg.Error, PoolTimeout, RedisError, OSError)
HEARTBEAT = 15  # seconds
SILENCE = 10.0  # seconds without a word of the dispatcher, after which Redis is asked anew
PAUSE = 1.0  # seconds between looks at the database while Redis is away


class Hub:
    """The pages by supplier. Lives in one event loop."""

    def __init__(self) -> None:
        self.pages: dict[int, set[Page]] = {}
        self.names: dict[str, Page] = {}
        self.last = 0  # the place up to which the pages here know all
        self.leaving: list[tuple[str, str]] = []  # whose room is to be given back
        self.at_the_door = 0  # pages whose ticket is looked at
        self.turn = 0
        self.ending = False
        self.pool = reading.pool()
        self.redis = rooms.client()
        self.rooms = rooms.Rooms(self.redis)
        self.tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        await self.pool.open(wait=False)
        ((self.last,),) = await reading.rows(self.pool, reading.LAST)
        for work in (self.listen, self.tick, self.count, self.review):
            self.tasks.append(asyncio.create_task(for_ever(work)))

    async def close(self) -> None:
        """Nothing of it is left behind: it could not start."""
        await self.pool.close()
        await self.redis.aclose()

    # ---------------------------------------------------------------- pages

    async def let_in(self, text: str) -> Ticket | None:
        """What the ticket lets in, once; None where it is not good."""
        ticket = read(await self.redis.getdel(place_of(text)))
        if ticket is None or (ticket.until is not None and ticket.until <= time.time()):
            return None
        good = await reading.good(self.pool, [ticket], at=datetime.now(UTC))
        return ticket if good else None

    async def count_failure(self, address: str) -> int:
        """Seconds to wait, for who has shown too many tickets that were not good."""
        return await self.rooms.count_failure(address)

    async def join(self, page: Page, *, since: int | None) -> None:
        """The page is told what it missed and all that comes. It is known before the database is read, so nothing falls between."""
        self.pages.setdefault(page.ticket.supplier, set()).add(page)
        self.names[page.name] = page
        self.turn = page.turn = (self.turn + 1) % HEARTBEAT
        items, place = await reading.missed(self.pool, page.ticket.supplier, since=since, known=self.last)
        await self.rooms.take([(page.ticket.user, page.name)])
        page.begin(items, place=place)
        if self.ending:
            page.end("restart")

    def leave(self, page: Page) -> None:
        """Nobody knows the page any more."""
        mine = self.pages.get(page.ticket.supplier, set())
        mine.discard(page)
        if not mine:
            self.pages.pop(page.ticket.supplier, None)
        if self.names.pop(page.name, None) and not self.ending:
            self.leaving.append((page.ticket.user, page.name))

    @contextlib.contextmanager
    def coming(self) -> Iterator[None]:
        """One whose ticket is looked at has a place already: of many at once no more get in."""
        self.at_the_door += 1
        try:
            yield
        finally:
            self.at_the_door -= 1

    @property
    def full(self) -> bool:
        return self.ending or len(self.names) + self.at_the_door >= settings.STREAM_MOST

    def end(self) -> None:
        """This process goes: the pages hear it, and come back to another, each at a time of its own."""
        self.ending = True
        for page in list(self.names.values()):
            page.end("restart")

    # ---------------------------------------------------------------- what comes

    async def listen(self) -> None:
        """Hears the dispatcher. While Redis is away the database is asked once a second instead."""
        async with self.redis.pubsub() as pubsub:
            try:
                await pubsub.subscribe(PUSHES, GOODBYES)
                while message := await pubsub.get_message(timeout=SILENCE):
                    if message["type"] != "message":
                        continue
                    if message["channel"] == PUSHES.encode():
                        await self.hear(message["data"])
                    elif page := self.names.get(message["data"].decode()):
                        page.end("elsewhere")
            except RedisError as error:
                log.warning("stream_redis_away", error=type(error).__name__)
        await asyncio.sleep(PAUSE)
        await self.catch_up()

    async def hear(self, said: bytes) -> None:
        batch = msgspec.json.decode(said, type=Batch)
        if batch.prev == self.last:
            self.tell(batch.items)
            self.last = batch.last
        elif batch.last > self.last:
            await self.catch_up(batch.last)

    async def catch_up(self, last: int = 0) -> None:
        """The pages here know all up to this place, or all there is.

        How far that is is known before the pages are counted: one that opens meanwhile has read at least as far.
        """
        if not last:
            ((last,),) = await reading.rows(self.pool, reading.LAST)
        self.tell(await reading.missed_by_all(self.pool, list(self.pages), since=self.last) if self.pages else [])
        self.last = max(self.last, last)

    def tell(self, items: list[Item]) -> None:
        for item in items:
            for page in self.pages.get(item.supplier, ()):
                page.tell(item)

    # ---------------------------------------------------------------- time

    async def tick(self) -> None:
        """Each page hears a heartbeat in its turn, so that not all are written to at once."""
        for turn in range(HEARTBEAT):
            for page in [page for page in self.names.values() if page.turn == turn]:
                page.beat()
            await asyncio.sleep(1)

    async def count(self) -> None:
        """Redis knows how many are open. Apart from the heartbeats, which wait for nobody."""
        with contextlib.suppress(RedisError):
            left, self.leaving = self.leaving, []
            await self.rooms.give_back(left, open=len(self.names))
        await asyncio.sleep(1)

    async def review(self) -> None:
        """Who may not stay hears it and is closed: the token has ended, the key was revoked, the supplier was erased."""
        await asyncio.sleep(settings.STREAM_REVIEW_EVERY)
        pages = list(self.names.values())
        for page in pages:
            if page.ticket.until is not None and page.ticket.until <= time.time():
                page.end("ended")
        if pages:
            good = await reading.good(self.pool, [page.ticket for page in pages], at=datetime.now(UTC))
            for n, page in enumerate(pages):
                if n not in good:
                    page.end("ended")
            await self.rooms.take([(page.ticket.user, page.name) for page in self.names.values()])


async def for_ever(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Whatever goes wrong, it goes on."""
    while True:
        try:
            await work()
        except AWAY as error:
            log.warning("stream_away", work=work.__name__, error=type(error).__name__)
            await asyncio.sleep(PAUSE * random.uniform(0.5, 1.5))  # noqa: S311
        except Exception:
            log.exception("stream_fault", work=work.__name__)
            await asyncio.sleep(PAUSE)
