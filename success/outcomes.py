"""What can come of carrying out a due row."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Accepted:
    """It is done."""


@dataclass(frozen=True, slots=True)
class Retry:
    """It surely did not happen; tried again after a pause, by default one that doubles."""

    error: str
    after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """It will not happen by itself: a person has to look."""

    error: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """It may have happened."""

    error: str


@dataclass(frozen=True, slots=True)
class Dropped:
    """It is no longer wanted."""

    reason: str


@dataclass(frozen=True, slots=True)
class Later:
    """It is not its time yet. Not an attempt."""

    due_at: datetime
    reason: str = ""


Outcome = Accepted | Retry | Refused | Unknown | Dropped | Later
