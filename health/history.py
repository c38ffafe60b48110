"""CustomerHealthService, the past: the score as of the last instant of each UTC day, and what moved it.

One statement (`sql/snapshots.sql`) closes a day and fills in the past.
"""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any

from django.db import transaction

from health import sql
from health.assessments import CHUNK, INPUTS, THESE, Progress, add_missing, halving, mark_declines
from health.effective import STANDING
from health.models import Closing, Snapshot
from health.scoring import WS142, Scorecard, status_sql
from success import db, metrics
from success.metrics import Chunk

BACKFILL_CHUNK = 1_000  # suppliers: as many days of each are in memory at once
TINY = 1e-9  # points
COLUMNS = ("scorecard", "version", "status", "score", "level", "points", *INPUTS, "by_time", "by_activity", "stood_before")


@dataclass(slots=True)
class Closed:
    """What a run wrote: suppliers looked at, rows written and taken away, days that late data would make differ but that stay as known then, and failures."""

    suppliers: int = 0
    written: int = 0
    removed: int = 0
    differing: int = 0
    failures: dict[int, str] = field(default_factory=dict)

    def counts(self) -> dict[str, int]:
        return {"suppliers": self.suppliers, "written": self.written, "removed": self.removed, "differing": self.differing, "failed": len(self.failures)}

    def add(self, part: "Closed") -> None:
        self.suppliers += part.suppliers
        self.written += part.written
        self.removed += part.removed
        self.differing += part.differing


@dataclass(frozen=True, slots=True)
class Days:
    """The days to write, with what holds for all suppliers."""

    first: date
    last: date
    base: date  # the last day closed before them
    overwrite: bool
    any_from: datetime | None  # first activity of anybody


def end_of(day: date) -> datetime:
    """The last instant of a UTC day."""
    return datetime.combine(day, time.max, UTC)


@cache
def statement(scorecard: Scorecard) -> str:
    size = range(1, len(scorecard.components) + 1)
    words = {
        "status": status_sql("f.at", "coalesce(f.at >= %(any_from)s::timestamptz, false)"),
        "points": scorecard.points_sql("f.at"),
        "score": scorecard.score_sql("computed_points"),
        "level": scorecard.level_sql("computed_score"),
        "standing": STANDING,
        "by_time": "array[" + ", ".join(f"aged_points[{n}] - p_points[{n}]" for n in size) + "]",
        "by_activity": "array[" + ", ".join(f"points[{n}] - aged_points[{n}]" for n in size) + "]",
        "columns": ", ".join(COLUMNS),
        "excluded": ", ".join(f"excluded.{name}" for name in COLUMNS),
        "stored": ", ".join(f"h.{name}" for name in COLUMNS),
    }
    text = sql.read("snapshots")
    for word, meaning in words.items():
        text = text.replace("{" + word + "}", meaning)
    return text


# ---------------------------------------------------------------- writing


def days_of(first: date, last: date, *, overwrite: bool) -> Days:
    [(closed,)] = db.rows("select max(least(last_day, %(first)s::date - 1)) from health_closing where first_day < %(first)s", {"first": first})
    [(any_from,)] = db.rows("select min(first_activity_at) from success_facts")
    return Days(first, last, closed or first - timedelta(days=1), overwrite, any_from)


def write(chunk: Chunk, days: Days, *, scorecard: Scorecard) -> Closed:
    """Writes the days of a range of suppliers, within the caller's transaction."""
    # Sorts stay in memory; and compiling such a statement takes longer than running it.
    # And what it took that long to write waits for a writer of facts rather than be thrown away.
    db.rows("select set_config('work_mem', '96MB', true), set_config('jit', 'off', true), set_config('lock_timeout', '60s', true)")
    params = {"low": chunk.first, "high": chunk.last, "first": days.first, "last": days.last, "base": days.base, "overwrite": days.overwrite}
    [counts] = db.rows(statement(scorecard), params | {"any_from": days.any_from, "scorecard": scorecard.key, "version": scorecard.version})
    stand(chunk, at=end_of(days.last), scorecard=scorecard)
    return Closed(*counts)


def close_day(*, day: date, progress: Progress = lambda n: None, chunk_size: int = CHUNK, scorecard: Scorecard = WS142) -> Closed:
    """The day is closed for all suppliers, and the flags of decline are as of its end. Takes only whom an earlier run, killed or not, did not close."""
    closing, _ = Closing.objects.get_or_create(first_day=day, last_day=day)
    days = days_of(day, day, overwrite=False)
    failed = [Chunk(supplier, supplier) for supplier in sorted(map(int, closing.failures))]
    total = run(closing, failed + rest(closing.through, chunk_size), days, progress=progress, scorecard=scorecard)
    if not Closing.objects.filter(last_day__gt=day, through__gt=0).exists():
        flag_declines(at=end_of(day), chunk_size=chunk_size)
    return total


def backfill(
    *, first: date, last: date, only: Collection[int] | None = None, overwrite: bool = False, progress: Progress = lambda n: None,
    chunk_size: int = BACKFILL_CHUNK, scorecard: Scorecard = WS142,
) -> Closed:  # fmt: skip
    """Each day of the range that was not closed before has its snapshot, as what is known now says; with `overwrite` the others too.

    A run over all suppliers that was killed goes on where it stood.
    """
    days = days_of(first, last, overwrite=overwrite)
    if only is not None:
        return run(None, [Chunk(supplier, supplier) for supplier in sorted(only)], days, progress=progress, scorecard=scorecard)
    closing, _ = Closing.objects.get_or_create(first_day=first, last_day=last)
    if closing.place is None or closing.overwrite != overwrite:
        closing.place, closing.overwrite = 0, overwrite
        closing.save(update_fields=["place", "overwrite"])
    ranges = rest(closing.place, chunk_size)
    progress(db.rows("select count(*) from success_facts where supplier_id <= %s", [closing.place])[0][0])
    total = run(closing, ranges, days, progress=progress, scorecard=scorecard)
    Closing.objects.filter(pk=closing.pk).update(place=None)
    for chunk in metrics.chunks(chunk_size):
        date_levels(chunk)
    return total


@transaction.atomic
def date_levels(chunk: Chunk) -> int:
    """Levels that the past shows to be older than our first look at them are dated from then, with the level before; says how many."""
    lock(chunk)
    return db.execute(sql.read("date_levels"), {"low": chunk.first, "high": chunk.last})


def rest(done: int, size: int) -> list[Chunk]:
    """The suppliers after an id, in ranges."""
    return [Chunk(max(chunk.first, done + 1), chunk.last) for chunk in metrics.chunks(size) if chunk.last > done]


def run(closing: Closing | None, ranges: Collection[Chunk], days: Days, *, progress: Progress, scorecard: Scorecard) -> Closed:
    """Writes range by range, each its own transaction that says in the closing how far it came. One bad supplier stops nobody."""
    total = Closed(failures={int(supplier): reason for supplier, reason in closing.failures.items()} if closing else {})

    def work(part: Chunk) -> Closed:
        with db.patient():
            done = write(part, days, scorecard=scorecard)
            mark(closing, part.last, failures=without(total.failures, part))
        return done

    for chunk in ranges:
        for done, part in halving(chunk, work, failures=total.failures):
            total.failures = without(total.failures, part)
            total.add(done)
            progress(done.suppliers)
        mark(closing, chunk.last, failures=total.failures)
    return total


# Of a range those of whom the assessment does not say yet how they stood when the last day was closed, locked in the order of all writers.
STANDINGS = f"""
    select f.supplier_id, {STANDING} from success_facts f
    left join health_assessment a on a.supplier_id = f.supplier_id and a.supplier_id between %(low)s and %(high)s
    left join lateral (select status, level from health_snapshot where supplier_id = f.supplier_id order by day desc limit 1) h on true
    where f.supplier_id between %(low)s and %(high)s and coalesce(a.stood, 'ended') <> {STANDING} order by 1 for update of f
"""
STAND = """update health_assessment a set stood = x.stood from unnest(%(suppliers)s::bigint[], %(standings)s::text[]) x (supplier, stood)
    where a.supplier_id = x.supplier"""


def stand(chunk: Chunk, *, at: datetime, scorecard: Scorecard) -> None:
    """It is known how each supplier of a range stood at the end of the last day closed; who has a day but was never scored has a row for it."""
    found = db.rows(STANDINGS, {"low": chunk.first, "high": chunk.last})
    if found:
        suppliers, standings = map(list, zip(*found, strict=True))
        add_missing(THESE, {"ids": suppliers}, at=at, scorecard=scorecard)
        db.execute(STAND, {"suppliers": suppliers, "standings": standings})


def without(failures: dict[int, str], part: Chunk) -> dict[int, str]:
    return {supplier: reason for supplier, reason in failures.items() if not part.first <= supplier <= part.last}


def mark(closing: Closing | None, last: int, *, failures: dict[int, str]) -> None:
    if closing:
        db.execute(
            "update health_closing set through = greatest(through, %s), place = case when place is not null then %s end, failures = %s where id = %s",
            [last, last, json.dumps(failures), closing.pk],
        )


def flag_declines(*, at: datetime, chunk_size: int) -> None:
    for chunk in metrics.chunks(chunk_size):
        with transaction.atomic():
            mark_declines(lock(chunk), at=at)


def lock(chunk: Chunk) -> list[int]:
    """The facts of a range, locked in the order of all writers: who holds them writes their scores."""
    found = db.rows("select supplier_id from success_facts where supplier_id between %s and %s order by 1 for update", [chunk.first, chunk.last])
    return [supplier for (supplier,) in found]


# ---------------------------------------------------------------- reading


def history_of(*, supplier_id: int, since: date, scorecard: Scorecard = WS142) -> list[dict[str, Any]]:
    """Day by day from `since` on, oldest first; a day without a row is as the day before. The state `since` opens with, if it is older, stands on that day."""
    found = Snapshot.objects.filter(supplier_id=supplier_id)
    rows = list(found.filter(day__gte=since).order_by("day"))
    if not rows or rows[0].day > since:
        opening = found.filter(day__lt=since).order_by("-day").first()
        if opening:
            rows.insert(0, Snapshot(day=since, score=opening.score, level=opening.level, points=opening.points))
    return [shown(row, [component.key for component in scorecard.components]) for row in rows]


SCORES = """
select w.supplier, h.day, h.score from unnest(%(suppliers)s::bigint[]) w (supplier) cross join lateral (
    (select %(since)s::date as day, score from health_snapshot where supplier_id = w.supplier and day <= %(since)s order by health_snapshot.day desc limit 1)
    union all select day, score from health_snapshot where supplier_id = w.supplier and day > %(since)s) h
order by 1, 2
"""


def scores_of(suppliers: Collection[int], *, since: date) -> dict[int, list[tuple[date, float | None]]]:
    """The scores of several suppliers from `since` on, by the days on which they changed, in one statement. The state `since` opens with stands on that day."""
    found: dict[int, list[tuple[date, float | None]]] = {supplier: [] for supplier in suppliers}
    for supplier, day, score in db.rows(SCORES, {"suppliers": list(suppliers), "since": since}):
        found[supplier].append((day, score))
    return found


def shown(row: Snapshot, keys: list[str]) -> dict[str, Any]:
    """A day as the API answers it."""
    return {
        "day": row.day,
        "score": row.score,
        "level": row.level,
        "parts": dict(zip(keys, row.points or [], strict=False)),
        "moved": [*moved("time", keys, row.by_time), *moved("activity", keys, row.by_activity)],
    }


def moved(cause: str, keys: list[str], points: list[float] | None) -> Iterator[dict[str, Any]]:
    for key, change in zip(keys, points or [], strict=False):
        if abs(change) > TINY:
            yield {"component": key, "cause": cause, "points": change}
