"""All open pages of one stream server: what the dispatcher says is told to them, and who may stay is looked at again."""

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import msgspec
import psycopg
import redis.asyncio
import structlog
from django.conf import settings
from psycopg_pool import PoolTimeout
from redis.exceptions import RedisError

from success.stream import reading
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
        self.n = 0
        self.last = 0  # the place up to which the pages here know all
        self.ending = False
        self.pool = reading.pool()
        self.redis = redis.asyncio.Redis.from_url(settings.LIMITS_REDIS_URL, socket_timeout=1, socket_connect_timeout=1)
        self.tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        await self.pool.open(wait=False)
        ((self.last,),) = await reading.rows(self.pool, reading.LAST)
        for work in (self.listen, self.tick):
            self.tasks.append(asyncio.create_task(for_ever(work)))

    # ---------------------------------------------------------------- pages

    async def let_in(self, text: str) -> Ticket | None:
        """What the ticket lets in, once; None where it is not good."""
        ticket = read(await self.redis.getdel(place_of(text)))
        if ticket is None or (ticket.until is not None and ticket.until <= time.time()):
            return None
        good = await reading.good(self.pool, [ticket], at=datetime.now(UTC))
        return ticket if good else None

    async def join(self, page: Page, *, since: int | None) -> None:
        """The page is told what it missed and all that comes. It is known before the database is read, so nothing falls between."""
        self.pages.setdefault(page.ticket.supplier, set()).add(page)
        self.n += 1
        items, place = await reading.missed(self.pool, page.ticket.supplier, since=since)
        page.begin(items, place=place)

    def leave(self, page: Page) -> None:
        mine = self.pages.get(page.ticket.supplier, set())
        if page in mine:
            mine.discard(page)
            self.n -= 1
            if not mine:
                del self.pages[page.ticket.supplier]

    def end(self) -> None:
        """This process goes: the pages hear it, and come back to another, each at a time of its own."""
        self.ending = True
        for page in self.everyone():
            page.end("restart")

    def everyone(self) -> list[Page]:
        return [page for mine in self.pages.values() for page in mine]

    # ---------------------------------------------------------------- what comes

    async def listen(self) -> None:
        """Hears the dispatcher. While Redis is away the database is asked once a second instead."""
        async with self.redis.pubsub() as pubsub:
            try:
                await pubsub.subscribe(PUSHES, GOODBYES)
                while message := await pubsub.get_message(timeout=SILENCE):
                    if message["type"] == "message":
                        await self.hear(message)
            except RedisError as error:
                log.warning("stream_redis_away", error=type(error).__name__)
        await asyncio.sleep(PAUSE)
        await self.catch_up()

    async def hear(self, message: dict[str, Any]) -> None:
        batch = msgspec.json.decode(message["data"], type=Batch)
        if batch.prev == self.last:
            self.tell(batch.items)
            self.last = batch.last
        elif batch.last > self.last:
            await self.catch_up(batch.last)

    async def catch_up(self, last: int = 0) -> None:
        """The pages here know all there is, at least up to this place."""
        found = await reading.missed_by_all(self.pool, list(self.pages), since=self.last) if self.pages else []
        self.tell(found)
        self.last = max([last, self.last, *(item.place for item in found)])

    def tell(self, items: list[Item]) -> None:
        for item in items:
            for page in self.pages.get(item.supplier, ()):
                page.tell(item)

    # ---------------------------------------------------------------- time

    async def tick(self) -> None:
        """Each page hears a heartbeat in its turn, so that not all are written to at once."""
        for turn in range(HEARTBEAT):
            for n, page in enumerate(self.everyone()):
                if n % HEARTBEAT == turn:
                    page.beat()
            await asyncio.sleep(1)


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
