"""The one clock. Read it at the edge (view, task, command) and hand the instant down."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present instant, in UTC."""
    return datetime.now(UTC)
