"""The instants at which something is due: every so often, or at times of a clock on some wall, whatever that clock does in its two odd nights."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Protocol

FARTHEST = 366 * 8  # days looked back or ahead: two leap days, so that 29 February is found over a century's skipped one


class Schedule(Protocol):
    def latest(self, at: datetime) -> datetime | None: ...

    def next(self, at: datetime) -> datetime | None: ...

    def between(self, after: datetime, until: datetime, *, limit: int) -> list[datetime]: ...


@dataclass(frozen=True, slots=True)
class Interval:
    """Every so often, counted from 1970 in UTC: so that all processes agree without asking when the last time was."""

    every: timedelta

    def latest(self, at: datetime) -> datetime:
        """The last slot at or before an instant."""
        return at - (at - EPOCH) % self.every

    def next(self, at: datetime) -> datetime:
        """The first slot after an instant."""
        return self.latest(at) + self.every

    def between(self, after: datetime, until: datetime, *, limit: int) -> list[datetime]:
        """Slots after one instant and up to another, oldest first; of too many the newest."""
        last = self.latest(until)
        first = max(self.latest(after) + self.every, last - self.every * (limit - 1))
        return [first + self.every * n for n in range((last - first) // self.every + 1)]


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Crontab:
    """Minutes, hours and days of a wall clock.

    A time that the clock skips in spring is due as it jumps. One that it shows twice in autumn is due once, the first time;
    twice only for what is due in every hour of the day.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    weekdays: frozenset[int]  # 0 is Sunday
    days: frozenset[int]
    months: frozenset[int]
    timezone: tzinfo = UTC

    def latest(self, at: datetime) -> datetime | None:
        """The last slot at or before an instant; none where the dates never come."""
        today = at.astimezone(self.timezone).date()
        for back in range(-1, FARTHEST):
            if found := [slot for slot in self.of_day(today - timedelta(days=back)) if slot <= at]:
                return found[-1]
        return None

    def next(self, at: datetime) -> datetime | None:
        """The first slot after an instant; none where the dates never come."""
        today = at.astimezone(self.timezone).date()
        for ahead in range(-1, FARTHEST):
            if found := [slot for slot in self.of_day(today + timedelta(days=ahead)) if slot > at]:
                return found[0]
        return None

    def between(self, after: datetime, until: datetime, *, limit: int) -> list[datetime]:
        """Slots after one instant and up to another, oldest first; of too many the newest."""
        found: list[datetime] = []
        for day in self.days_back(until, after):
            found[:0] = [slot for slot in self.of_day(day) if after < slot <= until]
            if len(found) >= limit:
                break
        return found[-limit:]

    def days_back(self, until: datetime, after: datetime) -> Iterator[date]:
        day, first = until.astimezone(self.timezone).date(), after.astimezone(self.timezone).date()
        while day >= first:
            yield day
            day -= timedelta(days=1)

    def of_day(self, day: date) -> list[datetime]:
        """The slots of a day on that wall, in UTC."""
        if day.day not in self.days or day.month not in self.months or day.isoweekday() % 7 not in self.weekdays:
            return []
        folds = (0, 1) if len(self.hours) == 24 else (0,)
        walls = (datetime.combine(day, time(hour, minute), self.timezone) for hour in self.hours for minute in self.minutes)
        return sorted({wall.replace(fold=fold).astimezone(UTC) for wall in walls for fold in folds if fold == 0 or repeated(wall)})


def repeated(wall: datetime) -> bool:
    """Whether the clock shows this time twice: a skipped one has the greater offset second, a repeated one first."""
    first, second = wall.replace(fold=0).utcoffset(), wall.replace(fold=1).utcoffset()
    return first is not None and second is not None and first > second
