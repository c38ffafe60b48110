"""Rate limits: a leaky bucket per caller, kept in Redis by one atomic call (GCRA: one number, the time at which the bucket is empty)."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

import redis
import structlog
from django.conf import settings

log = structlog.get_logger(__name__)

# KEYS[1] the bucket; ARGV: requests a second, and how many at once. Redis's own clock, so that processes agree.
SCRIPT = """
local now = redis.call('TIME')
now = now[1] + now[2] / 1000000
local gap = 1 / tonumber(ARGV[1])
local burst = tonumber(ARGV[2])
local empty_at = math.max(now, tonumber(redis.call('GET', KEYS[1]) or now)) + gap
local wait = empty_at - burst * gap - now
if wait > 0.00001 then -- the times are kept to the microsecond
    return {0, 0, tostring(wait), tostring(empty_at - gap - now)}
end
redis.call('SET', KEYS[1], string.format('%.6f', empty_at), 'PX', math.ceil((empty_at - now) * 1000) + 1)
return {1, math.floor(math.max(0, -wait) / gap + 0.00001), '0', tostring(empty_at - now)}
"""
PAUSE = 1.0  # seconds not to ask again a Redis that is away
Answer = TypeVar("Answer")
_away_until = 0.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a request may pass; how many more could at once; seconds to wait, and until the bucket is empty."""

    allowed: bool
    limit: int
    remaining: int
    retry_after: float
    reset: float


@cache
def client() -> redis.Redis:
    return redis.Redis.from_url(settings.LIMITS_REDIS_URL, socket_timeout=0.25, socket_connect_timeout=0.25)


@cache
def script() -> redis.commands.core.Script:
    return client().register_script(SCRIPT)


def ask(question: Callable[[], Answer]) -> Answer | None:
    """What Redis answers; None while it is away or slow, which one request a second finds out."""
    global _away_until
    if time.monotonic() < _away_until:
        return None
    try:
        return question()
    except redis.RedisError as error:
        _away_until = time.monotonic() + PAUSE
        log.warning("limits_away", error=type(error).__name__)
        return None


def address_of(forwarded: str, remote: str, proxies: int) -> str:
    """The address of the client: as far from the right of X-Forwarded-For as proxies of our own stand before us, never what a client claims."""
    parts = [part.strip() for part in forwarded.split(",") if part.strip()]
    return parts[-min(proxies, len(parts))] if proxies > 0 and parts else remote


def hit(bucket: str, rate: float, burst: float) -> Verdict:
    """Counts one request. With Redis away everything passes: a limit must not take the product down."""
    counted = ask(lambda: script()(keys=[f"limit:{bucket}"], args=[rate, burst]))
    if counted is None:
        return Verdict(True, int(burst), int(burst), 0.0, 0.0)
    allowed, remaining, wait, reset = counted
    return Verdict(bool(allowed), int(burst), int(remaining), float(wait), float(reset))
