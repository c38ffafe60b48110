"""Work that cannot wait for its next turn: when the database rings, the dispatcher does it at once. The schedule remains the truth."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol


class Work(Protocol):
    def __call__(self, *, at: datetime) -> object: ...


_registry: dict[str, Work] = {}


def register(channel: str, work: Work) -> None:
    """The work is done whenever a transaction that committed had rung on this channel (`pg_notify`). Apps call it from their module `scheduled`."""
    _registry[channel] = work


def registered() -> dict[str, Callable[..., object]]:
    return dict(_registry)
