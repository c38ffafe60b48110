"""CustomerHealthService: the score of every supplier, kept current. `assess` is the brief's runDailyHealthCheck.

A chunk of suppliers is one transaction: lock and age the facts, one statement that writes what changed, the events of changed levels.
A chunk that fails is halved until the supplier at fault stands alone; it is recorded, and the run goes on.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import structlog
from django.db import DatabaseError, OperationalError, transaction

from health import risk
from health.events import RiskChanged
from health.scoring import WS142, Scorecard, status_sql
from success import db, events, metrics
from success.logs import reason_of
from success.metrics import Chunk

log = structlog.get_logger(__name__)

CHUNK = 5_000
INPUTS = (
    "last_sign_in_at",
    "features",
    "clients_active",
    "clients_total",
    "forms_started",
    "forms_completed",
    "steps_started",
    "steps_completed",
)
Progress = Callable[[int], object]
Part = TypeVar("Part")  # what a range of suppliers came to


@dataclass(slots=True)
class Run:
    """What a run did: suppliers looked at and changed, level changes told, and those it failed on, with the reason."""

    assessed: int = 0
    changed: int = 0
    told: int = 0
    failures: dict[int, str] = field(default_factory=dict)

    def add(self, other: "Run") -> None:
        self.assessed += other.assessed
        self.changed += other.changed
        self.told += other.told
        self.failures |= other.failures

    def counts(self) -> dict[str, int]:
        return {"assessed": self.assessed, "changed": self.changed, "told": self.told, "failed": len(self.failures)}


def silent(scorecard: Scorecard, where: str) -> str:
    """Suppliers of whom all that is new is history, and whose last score time alone would have left at its level: a change of theirs is told to nobody.

    History adds to a counter and time takes away, so one that is lower now is lower by time.
    """
    counters = ", ".join(f"least(o.{name}, f.{name}) as {name}" for name in INPUTS[2:] if name != "clients_total")
    return f"""
    select f.supplier_id from (
        select f.supplier_id, o.level, o.version, o.status <> 'ended' as in_service, case o.status when 'ok' then o.changed_at end as first_activity_at,
               f.known_since, o.last_sign_in_at, o.features, o.clients_total, {counters}
        from success_facts f join health_assessment o on o.supplier_id = f.supplier_id and {where.replace("f.", "o.")}
        where f.dirty_at is not null and f.dirty_quiet and {where}
    ) f, lateral (select {status_sql("%(at)s", "%(any_activity)s")} as status, {scorecard.points_sql("%(at)s")} as points offset 0) x,
         lateral (select {scorecard.score_sql("x.points")} as score offset 0) y
    where f.version = 0 or f.level is not distinct from case x.status when 'ok' then {scorecard.level_sql("y.score")} end"""


def statement(scorecard: Scorecard, where: str) -> str:
    """Scores the suppliers of `where`, writes those that changed, and returns how many those are beside each whose change of level is to be told."""
    names = ", ".join(INPUTS)
    old, new = (", ".join(f"{row}.{name}" for name in INPUTS) for row in ("a", "z"))
    return f"""
    with silent as materialized ({silent(scorecard, where)}
    ), x as materialized ( -- else each use of the score works all points out anew
        select f.supplier_id, {status_sql("%(at)s", "%(any_activity)s")} as status,
               {scorecard.points_sql("%(at)s")} as points, {", ".join("f." + name for name in INPUTS)}
        from success_facts f where {where}
    ), y as materialized (
        select *, case status when 'ok' then {scorecard.score_sql("points")} end as score from x
    ), z as (
        select *, case status when 'ok' then {scorecard.level_sql("score")} end as level from y
    ), changed as (
        update health_assessment a
        set status = z.status, score = z.score, level = z.level, points = case z.status when 'ok' then z.points end,
            scorecard = %(scorecard)s, version = %(version)s, changed_at = %(at)s,
            level_before = case when a.level is distinct from z.level then coalesce(a.level, a.level_before) else a.level_before end, -- a pause forgets no level
            level_since = case when a.level is distinct from z.level then %(at)s else a.level_since end,
            ({names}) = row({new})
        from z where a.supplier_id = z.supplier_id and {where.replace("f.", "a.")}
          and a.changed_at <= %(at)s -- a long run does not write over a later score
          and (a.score, a.status, a.scorecard, a.version, {old}) is distinct from (z.score, z.status, %(scorecard)s, %(version)s, {new})
        returning a.supplier_id, a.level, a.level_before, a.score, a.level_since = %(at)s and a.level is distinct from a.level_before as level_changed
    )
    select n, c.supplier_id, c.level, c.level_before, c.score from (select count(*) as n from changed) x
    left join (select * from changed where level_changed and level is not null and supplier_id not in (select supplier_id from silent)) c on true
    """


# A new supplier's row is empty until its first scoring.
MISSING = """insert into health_assessment (supplier_id, status, features, clients_active, clients_total,
        forms_started, forms_completed, steps_started, steps_completed, scorecard, version, changed_at)
    select f.supplier_id, 'insufficient_data', 0, 0, 0, 0, 0, 0, 0, %(scorecard)s, 0, %(at)s from success_facts f
    where {where} and not exists (select 1 from health_assessment a where a.supplier_id = f.supplier_id) order by 1 on conflict do nothing"""
THESE = "f.supplier_id = any(%(ids)s)"


def add_missing(where: str, params: dict[str, Any], *, at: datetime, scorecard: Scorecard) -> None:
    db.execute(MISSING.format(where=where), params | {"at": at, "scorecard": scorecard.key})


def write_scores(where: str, params: dict[str, Any], *, at: datetime, any_activity: bool, scorecard: Scorecard, some_new: bool = True) -> Run:
    if some_new:
        add_missing(where, params, at=at, scorecard=scorecard)
    params = params | {"at": at, "any_activity": any_activity, "scorecard": scorecard.key, "version": scorecard.version}
    # Rows by the thousand meet here. After a large import the planner does not know that yet, and would compare each with each.
    db.rows("select set_config('enable_nestloop', 'off', true)")
    changed = db.rows(statement(scorecard, where), params)
    db.rows("select set_config('enable_nestloop', 'on', true)")
    news = [
        (supplier, RiskChanged(level=level, previous=before, score=score, scorecard=scorecard.key))
        for _, supplier, level, before, score in changed
        if supplier is not None
    ]
    return Run(changed=changed[0][0], told=events.publish_all(news, at=at))


def lock_changing(scorecard: Scorecard) -> str:
    """Locks, in the order of all writers, the facts of a range that changed or fade, or whose score is not what is stored.

    Only who has locked the facts writes their score: one that worked on facts as they were a moment ago would put an old score over a new one.
    """
    old, new = (", ".join(f"{row}.{name}" for name in INPUTS) for row in ("a", "f"))
    return f"""
    select f.supplier_id, {metrics.FADES} as fades, a.supplier_id is null as is_new from success_facts f
    left join health_assessment a on a.supplier_id = f.supplier_id and a.supplier_id between %(first)s and %(last)s, -- else all are read for each range
        lateral (select {status_sql("%(at)s", "%(any_activity)s")} as status, {scorecard.points_sql("%(at)s")} as points offset 0) x
    where f.supplier_id between %(first)s and %(last)s and coalesce(a.changed_at <= %(at)s, true) and ({metrics.FADES} or a.supplier_id is null
       or (a.status, a.score, a.scorecard, a.version, {old})
          is distinct from (x.status, case x.status when 'ok' then {scorecard.score_sql("x.points")} end, %(scorecard)s, %(version)s, {new}))
    order by f.supplier_id for update of f"""


@transaction.atomic
def assess_chunk(chunk: Chunk, *, at: datetime, any_activity: bool, scorecard: Scorecard = WS142) -> Run:
    """Ages and scores those of a range that need it, in one transaction."""
    params = {"first": chunk.first, "last": chunk.last, "at": at, "any_activity": any_activity, "scorecard": scorecard.key, "version": scorecard.version}
    found = db.rows(lock_changing(scorecard), params | metrics.boundaries(at))
    if not found:
        return Run()
    fading = [supplier for supplier, fades, _ in found if fades]
    metrics.age(fading, at=at)
    ids, some_new = [supplier for supplier, _, _ in found], any(is_new for _, _, is_new in found)
    run = write_scores(THESE, {"ids": ids}, at=at, any_activity=any_activity, scorecard=scorecard, some_new=some_new)
    mark_declines(fading, at=at)
    metrics.clean(fading)
    return run


@transaction.atomic
def assess_touched(*, at: datetime, limit: int = CHUNK, scorecard: Scorecard = WS142) -> Run:
    """Scores up to `limit` suppliers whose facts changed since their last score, in one transaction; skips those another is busy with.

    One that fails loses its mark all the same, or it would be tried every two seconds: the next run over all tries it again.
    """
    ids = metrics.lock_touched(limit=limit)
    run = assess_locked(ids, at=at, any_activity=metrics.any_activity(), scorecard=scorecard) if ids else Run()
    metrics.clean(ids)
    return run


def assess_locked(ids: Sequence[int], *, at: datetime, any_activity: bool, scorecard: Scorecard) -> Run:
    """Ages and scores suppliers whose facts are locked; halves them where one is at fault."""
    try:
        with transaction.atomic():
            metrics.age(ids, at=at)
            run = write_scores(THESE, {"ids": ids}, at=at, any_activity=any_activity, scorecard=scorecard)
            mark_declines(ids, at=at)
            run.assessed = len(ids)
            return run
    except OperationalError:
        raise
    except DatabaseError as error:
        if len(ids) == 1:
            return Run(failures={ids[0]: reason_of(error)})
    middle, run = len(ids) // 2, Run()
    for half in (ids[:middle], ids[middle:]):
        run.add(assess_locked(half, at=at, any_activity=any_activity, scorecard=scorecard))
    return run


def mark_declines(ids: Collection[int], *, at: datetime) -> int:
    """Sets the flag of those whose own use fell (`risk.Use.declining`), and takes it from the others."""
    use = metrics.use_of(ids, at=at)
    declining = [supplier for supplier, found in use.items() if risk.declining(risk.Use(*found))]
    return db.execute(
        """update health_assessment set declining = supplier_id = any(%(declining)s)
            where supplier_id = any(%(ids)s) and declining <> (supplier_id = any(%(declining)s))""",
        {"declining": declining, "ids": list(ids)},
    )


def assess(*, at: datetime, only: Collection[int] | None = None, chunk_size: int = CHUNK, progress: Progress = lambda n: None) -> Run:
    """Scores all suppliers, or those named, and says what changed. One bad supplier stops nobody: it is in `failures`, with the reason."""
    total = Run()
    any_activity = metrics.any_activity()
    ranges = metrics.chunks(chunk_size) if only is None else [Chunk(supplier, supplier) for supplier in sorted(only)]
    for chunk in ranges:
        for done, part in halving(chunk, lambda part: assess_chunk(part, at=at, any_activity=any_activity), failures=total.failures):
            total.changed += done.changed
            total.told += done.told
            progress(part.last - part.first + 1)
    total.assessed = metrics.count(only) - len(total.failures)
    return total


def halving(chunk: Chunk, work: Callable[[Chunk], Part], *, failures: dict[int, str], tries: int = 3) -> Iterator[tuple[Part, Chunk]]:
    """Works on a range; one that fails is halved until the supplier at fault stands alone. What a retry cures is tried again first."""
    try:
        yield work(chunk), chunk
    except OperationalError as error:
        if tries == 1:
            raise
        log.warning("chunk_retried", first=chunk.first, last=chunk.last, error=type(error).__name__)
        yield from halving(chunk, work, failures=failures, tries=tries - 1)
    except DatabaseError as error:
        if chunk.first == chunk.last:
            reason = reason_of(error)
            failures[chunk.first] = reason
            log.error("supplier_not_assessed", supplier=chunk.first, reason=reason)
            return
        middle = (chunk.first + chunk.last) // 2
        yield from halving(Chunk(chunk.first, middle), work, failures=failures)
        yield from halving(Chunk(middle + 1, chunk.last), work, failures=failures)
