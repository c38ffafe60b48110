"""Due work, one mechanism for all of it: claimed in batches with a lease, tried until it is accepted or needs a person, fair between suppliers.

A kind that touches only the database is carried out and recorded in one transaction, so exactly once, and a dead worker's row is simply due again.
Of any other an attempt is written down before it is made: a row that is in a dead worker's hand but not begun is due again, and of one that is begun
nobody knows what happened: it says `unknown` and waits for a person, or for word from the other side.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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
from success.outcomes import Accepted, Dropped, Later, Outcome, Refused, Retry, Unknown

__all__ = ["Accepted", "Dropped", "Later", "Outcome", "Refused", "Retry", "Unknown"]  # beside what stands below
log = structlog.get_logger(__name__)

PATIENCE = 20.0  # seconds after which a worker lets other kinds have their turn
SWEEP = timedelta(seconds=30)  # after which another sweep begins beside one that hangs or died
HOLD = timedelta(seconds=30)  # for a row in hand; so long a dead worker's batch waits
SILENCE = 5.0  # seconds without hints after the broker did not answer
WINDOW = 20  # batches that are looked over for other suppliers' rows
SHORTEST_PAUSE, FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=1), timedelta(seconds=5), timedelta(hours=1)
MOST_WORDS = 1_000

Row = Any  # a DueRow of the kind's model


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of due rows, and the job that sweeps them.

    `before` settles rows that may not be claimed. `also` is what a row `d` must fulfil, in the claim and, but for a first attempt in a transaction, again
    when it is begun. `lease` is how long an attempt outside may take. `related` is read along with the row.
    `params` are those of `also`. `prepare` makes a batch in hand ready, in as many queries for many as for one. `ended` hears, in the same transaction, which
    rows now say what came of them.
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
    related: tuple[str, ...] = ()
    params: Callable[[], Mapping[str, Any]] = dict
    prepare: Callable[..., None] | None = None  # (keys, *, at)
    ended: Callable[..., None] | None = None  # (keys, *, at)
    before: Callable[[datetime], Any] | None = None

    @property
    def table(self) -> str:
        return self.model._meta.db_table


_registry: dict[str, Kind] = {}


def register(*kinds: Kind) -> None:
    """The kinds can be run, and have a job each; every app calls this from its module `scheduled`."""
    for kind in kinds:
        _registry[kind.key] = kind
        jobs.register(jobs.Job(key=kind.key, run=partial(sweep, kind), lease=SWEEP, keep=timedelta(hours=1)))


def registered() -> dict[str, Kind]:
    return dict(_registry)


# ---------------------------------------------------------------- run


def hint(key: str) -> None:
    """After this transaction has committed a worker is asked to look. The hint may be lost: the sweep finds the row."""
    transaction.on_commit(partial(ask, key), robust=True)


_silent_until = 0.0  # while the broker is away, not every hint waits for it


def ask(key: str) -> None:
    global _silent_until
    if time.monotonic() < _silent_until:
        return
    try:
        current_app.send_task("success.tasks.run_due_rows", kwargs={"kind": key}, queue=_registry[key].queue, expires=55)
    except Exception as error:  # whatever a broker that is away raises
        _silent_until = time.monotonic() + SILENCE
        log.warning("hint_not_sent", kind=key, error=type(error).__name__)


def sweep(kind: Kind, *, at: datetime, slot: datetime, only: Collection[int] | None) -> jobs.Done:
    """What is due is done."""
    return jobs.Done(run(kind, at=at))


def run(kind: Kind, *, at: datetime, patience: float = PATIENCE) -> Counter[str]:
    """Carries out what is due, until nothing is, or the patience ends and another is asked to go on; counts the rows by what came of them."""
    began, done = time.monotonic(), Counter[str]()

    def now() -> datetime:
        return at + timedelta(seconds=time.monotonic() - began)

    while time.monotonic() - began <= patience:
        if kind.before:
            kind.before(now())
        done["taken over"] += take_over(kind, at=now())
        if not (batch := claim(kind, at=now())):
            return +done
        if kind.prepare:
            kind.prepare([held.key for held in batch], at=now())
        for place, held in enumerate(batch):
            if time.monotonic() - began > patience:
                release(kind, batch[place:])
                break
            done[carry_out(kind, held, at=now())] += 1
    ask(kind.key)
    return +done


# ---------------------------------------------------------------- a batch


@dataclass(frozen=True, slots=True)
class Held:
    """A row in hand. `token`, the end of its lease, tells this claim from any other; `left`: whoever had the row last may have died of it."""

    key: int
    token: datetime
    attempt: int
    left: bool


# One supplier's flood does not hold up the others: of the oldest rows each supplier's first come first. Nobody's rows are each for themselves.
CLAIM = """
with oldest as (
    select d.id, d.supplier_id, d.due_at from {table} d
    where d.state = 'queued' and d.due_at <= %(at)s and (d.leased_until is null or d.leased_until < now()) and ({also})
    order by d.due_at, d.id limit %(window)s
), turn as (
    select id, due_at, row_number() over (partition by coalesce(supplier_id, -id) order by due_at, id) as turn from oldest
), chosen as (
    select d.id, d.leased_until is not null as was_left from {table} d join turn t using (id)
    where d.state = 'queued' and (d.leased_until is null or d.leased_until < now())
    order by t.turn, t.due_at, d.id limit %(batch)s for update of d skip locked
)
update {table} r set leased_until = clock_timestamp() + %(hold)s
from chosen c where r.id = c.id returning r.id, r.leased_until, r.attempts + 1, c.was_left
"""


def claim(kind: Kind, *, at: datetime) -> list[Held]:
    """A batch that is in this worker's hand until the lease ends. None of it is begun."""
    params = {**kind.params(), "at": at, "window": WINDOW * kind.batch, "batch": kind.batch, "hold": HOLD}
    return [Held(*row) for row in db.rows(CLAIM.format(table=kind.table, also=kind.also), params)]


def release(kind: Kind, batch: Sequence[Held]) -> None:
    """Rows that were not begun are free again."""
    keys, tokens = [held.key for held in batch], [held.token for held in batch]
    kind.model._default_manager.filter(pk__in=keys, leased_until__in=tokens, state=State.QUEUED).update(leased_until=None)


TAKE_OVER = """
with dead as (
    select id from {table} where state = 'claimed' and leased_until < now() order by id limit 1000 for update skip locked
)
update {table} r set error = 'The worker died.',
    state = case when not %(again)s then 'unknown' when r.attempts >= %(attempts)s then 'refused' else 'queued' end,
    leased_until = case when not %(again)s then r.leased_until end,
    due_at = case when %(again)s then %(at)s + least(%(longest)s, %(first)s * power(2, least(r.attempts, 20) - 1)) else r.due_at end
from dead d where r.id = d.id returning r.id, r.state
"""


def take_over(kind: Kind, *, at: datetime) -> int:
    """What dead workers had begun is due again after a pause, or, where it may have been done, unknown."""
    params = {"at": at, "again": kind.transactional, "attempts": kind.attempts, "first": FIRST_PAUSE, "longest": LONGEST_PAUSE}
    with transaction.atomic():
        taken = db.rows(TAKE_OVER.format(table=kind.table), params)
        tell(kind, [key for key, state in taken if state != State.QUEUED], at=at)
    return len(taken)


# ---------------------------------------------------------------- one row

# Checked again at this moment: that nobody else has it, no person dropped it, and it may still be done.
BEGIN = """update {table} d set state = 'claimed', attempts = %(attempt)s, leased_until = clock_timestamp() + %(lease)s
    where d.id = %(key)s and d.state = 'queued' and d.leased_until = %(token)s and ({also}) returning d.leased_until"""


def carry_out(kind: Kind, held: Held, *, at: datetime) -> str:
    """Does one row and records what came of it. An attempt that cannot be rolled back, or that may kill its worker, is written down before it is made."""
    if not kind.transactional or held.left:
        begun = begin(kind, held, at=at)
        if begun is None:
            release(kind, [held])
            return "lost"
        held = begun
    try:
        if kind.transactional:
            with transaction.atomic():
                return attempted(kind, held, mine(kind, held).select_for_update(of=("self",)), at=at)
        return attempted(kind, held, mine(kind, held), at=at)
    except Exception as error:
        log.exception("due_row_failed", kind=kind.key, row=held.key)
        failed = Retry if kind.transactional else Unknown
        return record(kind, held, failed(f"{type(error).__name__}: {reason_of(error)}"), at=at)


def begin(kind: Kind, held: Held, *, at: datetime) -> Held | None:
    """The attempt is on record, with a lease of its own; none if the row may not be begun any more."""
    lease = HOLD if kind.transactional else kind.lease  # a row in a transaction is locked for as long as that takes
    params = {**kind.params(), "at": at, "key": held.key, "token": held.token, "attempt": held.attempt, "lease": lease}
    found = db.rows(BEGIN.format(table=kind.table, also=kind.also), params)
    return replace(held, token=found[0][0]) if found else None


def attempted(kind: Kind, held: Held, rows: Any, *, at: datetime) -> str:
    row = rows.filter(state__in=(State.QUEUED, State.CLAIMED)).select_related(*kind.related or [None]).first()
    if row is None:
        return "lost"  # the lease had ended and another has it, or it is settled
    return record(kind, held, kind.carry_out(row, at=at), at=at)


def mine(kind: Kind, held: Held) -> Any:
    return kind.model._default_manager.filter(pk=held.key, leased_until=held.token, state__in=(State.QUEUED, State.CLAIMED, State.UNKNOWN))


def record(kind: Kind, held: Held, outcome: Outcome, *, at: datetime) -> str:
    """Writes down what came of an attempt, unless the row is another's by now. Word that comes late still settles what was unknown."""
    values = {"attempts": held.attempt, "leased_until": None, **written(kind, held.attempt, outcome, at=at)}
    with transaction.atomic():
        if not mine(kind, held).update(**values):
            return "lost"
        tell(kind, [held.key] if values["state"] != State.QUEUED else [], at=at)
    return str(values["state"])


def tell(kind: Kind, keys: Sequence[int], *, at: datetime) -> None:
    """Whoever has to hear what came of these rows hears it, in this transaction."""
    if kind.ended and keys:
        kind.ended(keys, at=at)


def written(kind: Kind, attempt: int, outcome: Outcome, *, at: datetime) -> dict[str, Any]:
    match outcome:
        case Accepted():
            return {"state": State.ACCEPTED, "ended_at": at, "error": ""}
        case Dropped(reason):
            return {"state": State.DROPPED, "ended_at": at, "error": fit(reason)}
        case Later(due_at, reason):
            return {"state": State.QUEUED, "due_at": max(due_at, at + SHORTEST_PAUSE), "attempts": attempt - 1, "error": fit(reason)}
        case Retry(error, after) if attempt < kind.attempts:
            return {"state": State.QUEUED, "due_at": at + max(after or pause(attempt), SHORTEST_PAUSE), "error": fit(error)}
        case Unknown(error):
            return {"state": State.UNKNOWN, "error": fit(error)}
        case Retry(error) | Refused(error):
            return {"state": State.REFUSED, "error": fit(error)}


def fit(words: str) -> str:
    """Words as the database takes them: one that it refused would come back for ever, and hold up all behind it."""
    return words.replace("\0", "").encode(errors="replace").decode()[:MOST_WORDS]


def pause(attempt: int) -> timedelta:
    """5 s, doubling up to an hour, spread by a quarter so that what failed together is not tried together."""
    doubled = min(FIRST_PAUSE * 2.0 ** min(attempt - 1, 20), LONGEST_PAUSE)
    return doubled * random.uniform(0.75, 1.25)  # noqa: S311


# ---------------------------------------------------------------- by a person


class NotWaiting(Exception):
    """This row is done, dropped, or being done just now."""


WAITING = (State.QUEUED, *NEED_A_PERSON)


def again(row: DueRow, *, at: datetime) -> None:
    """The row is due now, with all its attempts before it.

    Raises:
        NotWaiting: it needs nobody.
    """
    if not all_again(type(row)._default_manager.filter(pk=row.pk), at=at):
        raise NotWaiting


def drop(row: DueRow, *, reason: str, by: User, at: datetime) -> None:
    """The row is not done, because a person says so.

    Raises:
        NotWaiting: it needs nobody.
    """
    if not drop_all(type(row)._default_manager.filter(pk=row.pk), reason=reason, by=by, at=at):
        raise NotWaiting


@transaction.atomic
def all_again(rows: Any, *, at: datetime) -> int:
    """Those of the rows that wait are due now; says how many."""
    for key, kind in _registry.items():
        if kind.model is rows.model:
            hint(key)
    return int(rows.filter(state__in=WAITING).update(state=State.QUEUED, due_at=at, attempts=0, leased_until=None))


@transaction.atomic
def drop_all(rows: Any, *, reason: str, by: User, at: datetime) -> int:
    """Those of the rows that wait are not done, because a person says so; says how many."""
    keys = list(rows.filter(state__in=WAITING).order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))
    rows.model._default_manager.filter(pk__in=keys).update(state=State.DROPPED, error=fit(reason), ended_by=by, ended_at=at, leased_until=None)
    for kind in _registry.values():
        if kind.model is rows.model:
            tell(kind, keys, at=at)
    return len(keys)


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


FREE = "state = 'queued' and due_at <= %(at)s and (leased_until is null or leased_until < now())"
BACKLOG = f"""select (select count(*) from {{table}} where {FREE}),
        coalesce(extract(epoch from %(at)s - (select min(due_at) from {{table}} where {FREE})), 0)::float8,
        (select count(*) from {{table}} where state = 'queued' and due_at > %(at)s),
        (select count(*) from {{table}} where state = 'claimed') + (select count(*) from {{table}} where state = 'queued' and leased_until >= now()),
        (select count(*) from {{table}} where state in ('refused', 'unknown'))"""


def backlogs(*, at: datetime) -> Iterator[Backlog]:
    for key, kind in sorted(_registry.items()):
        yield Backlog(key, *db.rows(BACKLOG.format(table=kind.table), {"at": at})[0])
