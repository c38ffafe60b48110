"""Three open pages for each user, over all stream servers: the newest stay. Kept in Redis, where a process that died holds no room for long."""

import os
import secrets
import socket
import time
from collections.abc import Sequence
from math import ceil

import redis.asyncio
from django.conf import settings

from success import limits
from success.stream.wire import GOODBYES, SERVERS

MOST = 3
UNHEARD = 90  # seconds a page counts of which its server says nothing

# KEYS[1] the user's pages, each by when it was last heard of; ARGV: the page, how many at most, UNHEARD, the channel of goodbyes.
TAKE = """
local now = tonumber(redis.call('TIME')[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[3])
redis.call('ZADD', KEYS[1], now, ARGV[1])
local names = redis.call('ZRANGE', KEYS[1], 0, -1)
table.sort(names) -- a name begins with when the page was opened
for n = 1, #names - ARGV[2] do
    redis.call('ZREM', KEYS[1], names[n])
    redis.call('PUBLISH', ARGV[4], names[n])
end
redis.call('EXPIRE', KEYS[1], ARGV[3])
"""


def client() -> redis.asyncio.Redis:
    pool = redis.asyncio.BlockingConnectionPool.from_url(settings.LIMITS_REDIS_URL, max_connections=8, timeout=10, socket_timeout=1, socket_connect_timeout=1)
    return redis.asyncio.Redis(connection_pool=pool)


class Rooms:
    """This server's share of them."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self.client = client
        self.script = client.register_script(TAKE)
        self.limit = client.register_script(limits.SCRIPT)
        self.server = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(2)}"

    async def take(self, pages: Sequence[tuple[str, str]]) -> None:
        """Each of these pages (its user, its name) has a room, and the eldest of a user's that are too many are told to go."""
        async with self.client.pipeline(transaction=False) as pipe:
            for user, name in pages:
                await self.script(keys=[room_of(user)], args=[name, MOST, UNHEARD, GOODBYES], client=pipe)
            await pipe.execute()

    async def give_back(self, pages: Sequence[tuple[str, str]], *, open: int) -> None:
        """These pages have gone, and so many are open here."""
        async with self.client.pipeline(transaction=False) as pipe:
            for user, name in pages:
                pipe.zrem(room_of(user), name)
            pipe.hset(SERVERS, self.server, f"{open} {int(time.time())}")
            await pipe.execute()

    async def count_failure(self, address: str) -> int:
        """Counts a try of an address with a bad credential; seconds to wait where there were too many."""
        allowed, _, wait, _ = await self.limit(keys=[f"limit:failed:{address}"], args=list(settings.RATE_LIMIT_FAILED_CREDENTIALS))
        return 0 if allowed else ceil(float(wait))


def room_of(user: str) -> str:
    return f"stream:user:{user}"
