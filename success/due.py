"""Due work, one mechanism for all of it: claimed in batches with a lease, tried until it is accepted or needs a person, fair between suppliers.

A kind that touches only the database is carried out and recorded in one transaction, so exactly once, and a dead worker's row is simply due again.
Of any other nobody knows what a dead worker did: its row says `unknown` and waits for a person, or for word from the other side.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from celery import current_app
from django.contrib.auth.models import User
from django.db import transaction

from success import db, jobs
from success.logs import reason_of
from success.models.due import NEED_A_PERSON, DueRow, State

log = structlog.get_logger(__name__)

PATIENCE = 45.0  # seconds after which a worker leaves the rest to the next
WINDOW = 20  # batches that are looked over for other suppliers' rows
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=5), timedelta(hours=1)

# ---------------------------------------------------------------- what can come of a row


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
Row = Any  # a DueRow of the kind's model


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of due rows, and the job that sweeps them. `before` settles rows that may not be claimed; `also` is what a row `d` must fulfil in the claim,
    with `params` of its own. `prepare` makes a claimed batch ready, in as many queries for many as for one. `begun` tells of a row `r` of a dead worker
    whether it may have been done. `ended` hears, in the same transaction, which rows now say what came of them.
    """

    key: str
    model: type[DueRow]
    carry_out: Callable[..., Outcome]  # (row, *, at)
    transactional: bool
    queue: str = "send"
    batch: int = 100
    attempts: int = 10
    lease: timedelta = timedelta(seconds=120)  # above the hard limit of a task
    also: str = "true"
    params: Callable[[], Mapping[str, Any]] = dict
    begun: str = "true"
    before: Callable[[datetime], Any] | None = None
    prepare: Callable[..., None] | None = None  # (keys, *, at)
    ended: Callable[..., None] | None = None  # (keys, *, at)

    @property
    def table(self) -> str:
        return self.model._meta.db_table


_registry: dict[str, Kind] = {}


def register(*kinds: Kind) -> None:
    """The kinds can be run, and have a job each; every app calls this from its module `scheduled`."""
    for kind in kinds:
        _registry[kind.key] = kind
        jobs.register(jobs.Job(key=kind.key, run=partial(sweep, kind), keep=timedelta(hours=1)))


def registered() -> dict[str, Kind]:
    return dict(_registry)


# ---------------------------------------------------------------- run


def hint(key: str) -> None:
    """After this transaction has committed a worker is asked to look. The hint may be lost: the sweep finds the row."""
    transaction.on_commit(partial(ask, key), robust=True)


def ask(key: str) -> None:
    try:
        current_app.send_task("success.tasks.run_due_rows", kwargs={"kind": key}, queue=_registry[key].queue, expires=55)
    except Exception as error:  # whatever a broker that is away raises
        log.warning("hint_not_sent", kind=key, error=type(error).__name__)


def sweep(kind: Kind, *, at: datetime, slot: datetime, only: Collection[int] | None) -> jobs.Done:
    """What is due is done."""
    return jobs.Done(run(kind, at=at))


def run(kind: Kind, *, at: datetime, patience: float = PATIENCE) -> Counter[str]:
    """Carries out what is due, until nothing is or the patience ends, and counts the rows by what came of them."""
    began, done = time.monotonic(), Counter[str]()
    while True:
        now = at + timedelta(seconds=time.monotonic() - began)
        if kind.before:
            kind.before(now)
        done["taken over"] += take_over(kind, at=now)
        claimed = claim(kind, at=now)
        if kind.prepare and claimed:
            kind.prepare([key for key, _ in claimed], at=now)
        for key, attempt in claimed:
            if time.monotonic() - began > 2 * patience:  # the lease of the rest is near its end
                release(kind, key, attempt)
                continue
            done[carry_out(kind, key, attempt, at=at + timedelta(seconds=time.monotonic() - began))] += 1
        if not claimed or time.monotonic() - began > patience:
            return +done


# One supplier's flood does not hold up the others: of the oldest rows each supplier's first come first.
CLAIM = """
with oldest as (
    select id, supplier_id, due_at from {table} where state = 'queued' and due_at <= %(at)s order by due_at, id limit %(window)s
), turn as (
    select id, due_at, row_number() over (partition by coalesce(supplier_id, -id) order by due_at, id) as turn from oldest
), chosen as (
    select d.id from {table} d join turn t using (id) where d.state = 'queued' and ({also})
    order by t.turn, t.due_at, d.id limit %(batch)s for update of d skip locked
)
update {table} r set state = 'claimed', attempts = r.attempts + 1, leased_until = now() + %(lease)s
from chosen c where r.id = c.id returning r.id, r.attempts
"""


def claim(kind: Kind, *, at: datetime) -> list[tuple[int, int]]:
    """A batch that is this worker's until the lease ends, each with its attempt, which tells this claim from any other."""
    params = {**kind.params(), "at": at, "window": WINDOW * kind.batch, "batch": kind.batch, "lease": kind.lease}
    with transaction.atomic():
        return db.rows(CLAIM.format(table=kind.table, also=kind.also), params)


TAKE_OVER = """
with dead as (
    select id from {table} where state = 'claimed' and leased_until < now() order by id limit 1000 for update skip locked
)
update {table} r set leased_until = null, error = 'The worker died.',
    state = case when not %(transactional)s and ({begun}) then 'unknown' when r.attempts >= %(attempts)s then 'refused' else 'queued' end
from dead d where r.id = d.id returning r.id
"""


def take_over(kind: Kind, *, at: datetime) -> int:
    """Rows of dead workers are due again, or, where they may have been done, unknown."""
    with transaction.atomic():
        taken = db.rows(TAKE_OVER.format(table=kind.table, begun=kind.begun), {"transactional": kind.transactional, "attempts": kind.attempts})
        if kind.ended and taken:
            kind.ended([key for (key,) in taken], at=at)
    return len(taken)


def release(kind: Kind, key: int, attempt: int) -> None:
    """A claimed row that was not begun is due again."""
    mine(kind, key, attempt).update(state=State.QUEUED, attempts=attempt - 1, leased_until=None)


def carry_out(kind: Kind, key: int, attempt: int, *, at: datetime) -> str:
    """Does one row and records what came of it."""
    try:
        if kind.transactional:
            with transaction.atomic():
                return attempted(kind, mine(kind, key, attempt).select_for_update(of=("self",)).first(), at=at)
        return attempted(kind, mine(kind, key, attempt).first(), at=at)
    except Exception as error:
        log.exception("due_row_failed", kind=kind.key, row=key)
        failed = Retry(f"{type(error).__name__}: {reason_of(error)}") if kind.transactional else Unknown(f"{type(error).__name__}: {reason_of(error)}")
        return record(kind, key, attempt, failed, at=at)


def attempted(kind: Kind, row: Row | None, *, at: datetime) -> str:
    if row is None:
        return "lost"  # the lease had ended, and another has it
    return record(kind, row.pk, row.attempts, kind.carry_out(row, at=at), at=at)


def mine(kind: Kind, key: int, attempt: int) -> Any:
    return kind.model._default_manager.filter(pk=key, state=State.CLAIMED, attempts=attempt)


def record(kind: Kind, key: int, attempt: int, outcome: Outcome, *, at: datetime) -> str:
    """Writes down what came of an attempt, unless another worker has taken the row over."""
    values = {"leased_until": None, **written(kind, attempt, outcome, at=at)}
    with transaction.atomic():
        if not mine(kind, key, attempt).update(**values):
            return "lost"
        if kind.ended and values["state"] != State.QUEUED:
            kind.ended([key], at=at)
    return str(values["state"])


def written(kind: Kind, attempt: int, outcome: Outcome, *, at: datetime) -> dict[str, Any]:
    match outcome:
        case Accepted():
            return {"state": State.ACCEPTED, "ended_at": at, "error": ""}
        case Dropped(reason):
            return {"state": State.DROPPED, "ended_at": at, "error": reason}
        case Later(due_at, reason):
            return {"state": State.QUEUED, "due_at": due_at, "attempts": attempt - 1, "error": reason}
        case Retry(error, after) if attempt < kind.attempts:
            return {"state": State.QUEUED, "due_at": at + (after or pause(attempt)), "error": error}
        case Unknown(error):
            return {"state": State.UNKNOWN, "error": error}
        case Retry(error) | Refused(error):
            return {"state": State.REFUSED, "error": error}


def pause(attempt: int) -> timedelta:
    """5 s, doubling up to an hour, spread by a quarter so that what failed together is not tried together."""
    doubled = min(FIRST_PAUSE * 2.0 ** min(attempt - 1, 20), LONGEST_PAUSE)
    return doubled * random.uniform(0.75, 1.25)  # noqa: S311


# ---------------------------------------------------------------- by a person


class NotWaiting(Exception):
    """This row is done, dropped, or being done just now."""


def again(row: DueRow, *, at: datetime) -> None:
    """The row is due now, with all its attempts before it.

    Raises:
        NotWaiting: it needs nobody.
    """
    settle(row, (State.QUEUED, *NEED_A_PERSON), state=State.QUEUED, due_at=at, attempts=0)


def drop(row: DueRow, *, reason: str, by: User, at: datetime) -> None:
    """The row is not done, because a person says so.

    Raises:
        NotWaiting: it needs nobody.
    """
    with transaction.atomic():
        settle(row, (State.QUEUED, *NEED_A_PERSON), state=State.DROPPED, error=reason, ended_by=by, ended_at=at)
        for kind in _registry.values():
            if kind.model is type(row) and kind.ended:
                kind.ended([row.pk], at=at)


def settle(row: DueRow, waiting: Collection[str], **values: Any) -> None:
    if not type(row)._default_manager.filter(pk=row.pk, state__in=waiting).update(**values):
        raise NotWaiting


# ---------------------------------------------------------------- in numbers


@dataclass(frozen=True, slots=True)
class Backlog:
    """Of one kind: rows that are due and since when the oldest is (seconds), rows that will be, that are being done, and that need a person."""

    kind: str
    due: int
    oldest: float
    later: int
    claimed: int
    for_a_person: int


BACKLOG = """select count(*) filter (where state = 'queued' and due_at <= %(at)s),
        coalesce(extract(epoch from %(at)s - min(due_at) filter (where state = 'queued' and due_at <= %(at)s)), 0)::float8,
        count(*) filter (where state = 'queued' and due_at > %(at)s), count(*) filter (where state = 'claimed'),
        count(*) filter (where state in ('refused', 'unknown'))
    from {table} where state in ('queued', 'claimed', 'refused', 'unknown')"""


def backlogs(*, at: datetime) -> Iterator[Backlog]:
    for key, kind in sorted(_registry.items()):
        yield Backlog(key, *db.rows(BACKLOG.format(table=kind.table), {"at": at})[0])
