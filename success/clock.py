"""The one clock. Read it at the edge (view, task, command) and hand the instant down."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

_ahead: Callable[[], timedelta] = timedelta  # which is zero


def now() -> datetime:
    """The present instant, in UTC: the world's, or as many days later as a developer has gone on."""
    return real() + _ahead()


def real() -> datetime:
    """The world's clock, which nobody moves: for what has to end in the world, as keys, lockouts and leases do."""
    return datetime.now(UTC)


def go_by(ahead: Callable[[], timedelta]) -> None:
    """From now on `now` is ahead of the world by what this says; `config.local` alone asks for it, with DEBUG on."""
    global _ahead
    _ahead = ahead
