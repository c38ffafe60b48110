"""Counts again: roll-ups from raw rows, facts from roll-ups and clients. What is stored must equal what is counted.

A chunk is one transaction: the facts are locked in the order of all writers, and what follows reads what is committed then, so a writer beside it is
seen whole or not at all. Roll-ups come before facts in that order; they are written here only under a lock that keeps all other writers out.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from success import db, metrics

CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class Difference:
    """A stored value that is not what a recount gives."""

    supplier: int
    column: str
    stored: str | None
    counted: str | None


Found = Callable[[Sequence[Difference]], object]
Fact = dict[str, Any]

# ---------------------------------------------------------------- what a recount gives

# Activity that stands in an open dead letter is kept but not yet folded.
RAW = """select a.* from success_activity a
    left join (select unnest(messages) as message from success_deadletter where resolved_at is null) l on l.message = a.message
    where a.supplier_id = any(%(ids)s) and l.message is null"""
DAILY = f"""select supplier_id, (occurred_at at time zone 'UTC')::date as day, event_id,
        count(*)::integer as n, min(occurred_at) as first_at, max(occurred_at) as last_at
    from ({RAW}) raw group by 1, 2, 3"""
EVER = """select supplier_id, event_id, sum(n)::bigint as n, min(first_at) as first_at, max(last_at) as last_at
    from success_dailyuse where supplier_id = any(%(ids)s) group by 1, 2"""
RAW_CLIENTS = f"""select supplier_id, properties ->> 'client_id' as external_id,
        min(occurred_at) as first_at, max(occurred_at) as last_at, max(received_at) as received_at
    from ({RAW}) raw join success_eventname e on e.id = raw.event_id and e.meaning = 'client_active' where properties ->> 'client_id' <> '' group by 1, 2"""
RAW_CLIENT_DAYS = f"""select c.supplier_id, c.id as client_id, (occurred_at at time zone 'UTC')::date as day,
        min(occurred_at) as first_at, max(occurred_at) as last_at, max(received_at) as received_at
    from ({RAW}) raw join success_eventname e on e.id = raw.event_id and e.meaning = 'client_active'
    join success_client c on c.supplier_id = raw.supplier_id and c.external_id = properties ->> 'client_id' group by 1, 2, 3"""
FACTS = """select f.supplier_id, coalesce(s.created_at, s.first_seen_at) as known_since,
        success_in_service(s.status, s.internal) as in_service, u.*, d.*, c.*
    from success_facts f join success_supplier s on s.id = f.supplier_id,
    lateral (select max(u.last_at) filter (where e.meaning in ('sign_in', 'sign_in_reported')) as last_sign_in_at,
                    coalesce(bit_or(1::bigint << e.feature), 0) as features,
                    min(u.first_at) filter (where e.meaning <> 'sign_in_reported') as first_activity_at,
                    max(u.last_at) filter (where e.meaning <> 'sign_in_reported') as last_activity_at
             from success_eventuse u join success_eventname e on e.id = u.event_id where u.supplier_id = f.supplier_id) u,
    lateral (select coalesce(sum(d.n) filter (where e.meaning = 'form_started'), 0)::integer as forms_started,
                    coalesce(sum(d.n) filter (where e.meaning = 'form_completed'), 0)::integer as forms_completed,
                    coalesce(sum(d.n) filter (where e.meaning = 'step_started'), 0)::integer as steps_started,
                    coalesce(sum(d.n) filter (where e.meaning = 'step_completed'), 0)::integer as steps_completed
             from success_dailyuse d join success_eventname e on e.id = d.event_id where d.supplier_id = f.supplier_id and d.day >= f.window_from) d,
    lateral (select (count(*) filter (where c.archived_at is null))::integer as clients_total,
                    (count(*) filter (where c.archived_at is null and c.last_activity_at >= f.clients_since))::integer as clients_active,
                    min(c.last_activity_at) filter (where c.archived_at is null and c.last_activity_at >= f.clients_since) as oldest_active_at
             from success_client c where c.supplier_id = f.supplier_id) c
    where f.supplier_id = any(%(ids)s)"""
COUNTED = (
    "known_since", "in_service", "last_sign_in_at", "features", "first_activity_at", "last_activity_at",
    "forms_started", "forms_completed", "steps_started", "steps_completed", "clients_total", "clients_active",
)  # fmt: skip

# ---------------------------------------------------------------- comparing


def compare(table: str, counted: str, key: Sequence[str], columns: Sequence[str], where: str = "true") -> str:
    """Rows (supplier, column, stored, counted) where a table and a recount of it differ, a row missing on either side included."""
    values = ", ".join(f"('{name}', s.{name}::text, c.{name}::text)" for name in columns)
    label = " || ' ' || ".join([f"'{table}'", *(f"k.{name}::text" for name in key if name != "supplier_id"), "x.name"])
    keys = ", ".join(key)
    return f"""select k.supplier_id, {label}, x.stored, x.counted
        from (select * from success_{table} where supplier_id = any(%(ids)s)) s full join ({counted}) c using ({keys}),
        lateral (select {", ".join(f"coalesce(s.{name}, c.{name}) as {name}" for name in key)}) k,
        lateral (values {values}) x (name, stored, counted)
        where x.stored is distinct from x.counted and ({where}) order by 1, 2"""


USED = ("n", "first_at", "last_at")
OF_EVENTS = compare("eventuse", EVER, ("supplier_id", "event_id"), USED)
OF_FACTS = compare("facts", FACTS, ("supplier_id",), COUNTED)
# Of days whose activity may be in a partition that is gone, what raw rows are left may not be more than what was rolled up.
OF_DAYS = compare(
    "dailyuse", DAILY, ("supplier_id", "day", "event_id"), USED,
    "k.day > %(whole_after)s::date or s.n is null or coalesce(c.n > s.n or c.first_at < s.first_at or c.last_at > s.last_at, false)",
)  # fmt: skip
# Only a bound: a client that left may have been the oldest.
OF_BOUND = f"""select f.supplier_id, 'facts oldest_active_at', f.oldest_active_at::text, 'at most ' || c.oldest_active_at::text
    from success_facts f join ({FACTS}) c using (supplier_id)
    where f.oldest_active_at is null and c.oldest_active_at is not null or f.oldest_active_at > c.oldest_active_at"""
# The product tells of clients and their times beside the activity: never less than raw rows say.
OF_CLIENTS = f"""select r.supplier_id, 'client ' || coalesce(c.id::text, 'missing') || ' last_activity_at',
        c.last_activity_at::text, 'at least ' || r.last_at::text
    from ({RAW_CLIENTS}) r left join success_client c using (supplier_id, external_id)
    where c.id is null or c.last_activity_at is null or c.last_activity_at < r.last_at or c.first_known_at > r.first_at"""
OF_CLIENT_DAYS = f"""select r.supplier_id, 'clientday ' || r.client_id || ' ' || r.day, d.first_at || ' to ' || d.last_at, r.first_at || ' to ' || r.last_at
    from ({RAW_CLIENT_DAYS}) r left join success_clientday d using (supplier_id, client_id, day)
    where d.day is null or d.first_at is null or d.first_at > r.first_at or d.last_at < r.last_at"""
OF_ROLLUPS = (OF_DAYS, OF_EVENTS)
ALL = (*OF_ROLLUPS, OF_CLIENTS, OF_CLIENT_DAYS, OF_FACTS, OF_BOUND)

KEPT_FROM = """select min(to_date(right(c.relname, 7), 'YYYY_MM')) from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'success_activity'::regclass"""


def whole_after() -> str:
    """The day after which all activity is still there as raw rows. Where no partition can be gone, because the oldest is older than any source: the beginning.

    A sender's clock may be five minutes ahead, so the first day kept may have lost rows received the evening before.
    """
    kept_from = db.rows(KEPT_FROM)[0][0]
    first = db.rows("select min(created_at) from success_source")[0][0]
    if kept_from is None or first is None or datetime(kept_from.year, kept_from.month, 1, tzinfo=UTC) <= first:
        return "-infinity"
    return str(kept_from.isoformat())


def differences(ids: Collection[int]) -> list[Difference]:
    """What is stored of these suppliers and is not what a recount gives."""
    with db.patient():
        lock(ids)
        return compared(ids, ALL)


def lock(ids: Collection[int]) -> None:
    db.rows("select 1 from success_facts where supplier_id = any(%s) order by supplier_id for update", [list(ids)])


def compared(ids: Collection[int], statements: Sequence[str]) -> list[Difference]:
    params = {"ids": list(ids), "whole_after": whole_after()}
    return [Difference(*row) for sql in statements for row in db.rows(sql, params)]


# ---------------------------------------------------------------- putting right

NO_OTHER_WRITER = "lock table success_dailyuse, success_eventuse in share row exclusive mode"
FIX_DAYS = f"""insert into success_dailyuse as d (supplier_id, day, event_id, n, first_at, last_at) select * from ({DAILY}) x order by 1, 2, 3
    on conflict (supplier_id, day, event_id) do update
        set n = case when d.day > %(whole_after)s::date then excluded.n else greatest(d.n, excluded.n) end,
            first_at = case when d.day > %(whole_after)s::date then excluded.first_at else least(d.first_at, excluded.first_at) end,
            last_at = case when d.day > %(whole_after)s::date then excluded.last_at else greatest(d.last_at, excluded.last_at) end
    where (d.n, d.first_at, d.last_at) is distinct from (excluded.n, excluded.first_at, excluded.last_at)"""
DROP_DAYS = f"""delete from success_dailyuse d where d.supplier_id = any(%(ids)s) and d.day > %(whole_after)s::date
    and not exists (select 1 from ({DAILY}) x where (x.supplier_id, x.day, x.event_id) = (d.supplier_id, d.day, d.event_id))"""
FIX_EVENTS = f"""insert into success_eventuse as u (supplier_id, event_id, n, first_at, last_at) select * from ({EVER}) x order by 1, 2
    on conflict (supplier_id, event_id) do update set n = excluded.n, first_at = excluded.first_at, last_at = excluded.last_at
    where (u.n, u.first_at, u.last_at) is distinct from (excluded.n, excluded.first_at, excluded.last_at)"""
DROP_EVENTS = f"""delete from success_eventuse u where u.supplier_id = any(%(ids)s)
    and not exists (select 1 from ({EVER}) x where (x.supplier_id, x.event_id) = (u.supplier_id, u.event_id))"""
FIX_CLIENTS = f"""insert into success_client as c (supplier_id, external_id, first_known_at, last_activity_at, changed_at)
    select supplier_id, external_id, first_at, last_at, received_at from ({RAW_CLIENTS}) r order by 1, 2
    on conflict (supplier_id, external_id) do update
        set first_known_at = least(c.first_known_at, excluded.first_known_at), last_activity_at = greatest(c.last_activity_at, excluded.last_activity_at),
            archived_at = case when c.archived_at < excluded.last_activity_at then null else c.archived_at end,
            changed_at = greatest(c.changed_at, excluded.changed_at)
    where c.last_activity_at is null or c.last_activity_at < excluded.last_activity_at or c.first_known_at > excluded.first_known_at"""
FIX_CLIENT_DAYS = f"""insert into success_clientday as d (supplier_id, client_id, day, first_at, last_at, archived, known_at)
    select supplier_id, client_id, day, first_at, last_at, false, received_at from ({RAW_CLIENT_DAYS}) r order by 1, 2, 3
    on conflict (supplier_id, client_id, day) do update set first_at = least(d.first_at, excluded.first_at), last_at = greatest(d.last_at, excluded.last_at)
    where d.first_at is null or d.first_at > excluded.first_at or d.last_at < excluded.last_at"""
FIX_FACTS = f"""update success_facts f
    set {", ".join(f"{name} = c.{name}" for name in COUNTED)}, oldest_active_at = c.oldest_active_at,
        dirty_quiet = f.dirty_at is null or f.dirty_quiet, dirty_at = coalesce(f.dirty_at, %(at)s)
    from ({FACTS}) c where c.supplier_id = f.supplier_id
      and (f.oldest_active_at is distinct from c.oldest_active_at
       or ({", ".join("f." + name for name in COUNTED)}) is distinct from ({", ".join("c." + name for name in COUNTED)}))"""


@db.patient()
def put_right(ids: Collection[int], *, at: datetime) -> list[Difference]:
    """What was stored wrongly of these suppliers now equals a recount; says what it was. New scores follow, silently."""
    if wrong_rollups(ids):
        db.rows(NO_OTHER_WRITER)
    params: dict[str, Any] = {"ids": list(ids), "whole_after": whole_after()}
    found = [Difference(*row) for sql in OF_ROLLUPS for row in db.rows(sql, params)]
    for sql in (DROP_DAYS, FIX_DAYS, DROP_EVENTS, FIX_EVENTS) if found else ():
        db.execute(sql, params)
    lock(ids)
    found += compared(ids, (OF_CLIENTS, OF_CLIENT_DAYS, OF_FACTS, OF_BOUND))
    rederive_locked(ids, at=at, clients=True)
    return found


def wrong_rollups(ids: Collection[int]) -> bool:
    """Whether roll-ups differ. One statement is one instant, so no lock is needed to say so."""
    return bool(compared(ids, OF_ROLLUPS))


@db.patient()
def rederive(ids: Collection[int], *, at: datetime, clients: bool) -> int:
    """The facts of these suppliers follow from their roll-ups as the catalogue reads now; with `clients`, so do clients from raw rows.

    Says how many facts changed.
    """
    lock(ids)
    return rederive_locked(ids, at=at, clients=clients)


def rederive_locked(ids: Collection[int], *, at: datetime, clients: bool) -> int:
    params = {"ids": list(ids), "at": at}
    with db.history():
        if clients:
            db.execute(FIX_CLIENTS, params)
            db.execute(FIX_CLIENT_DAYS, params)
        return db.execute(FIX_FACTS, params)


# ---------------------------------------------------------------- what would be, if an event meant something else

MEANT = """(select id, case when id = %(event)s then %(meaning)s else meaning end as meaning,
        case when id = %(event)s then %(feature)s else feature end as feature from success_eventname)"""
WOULD_BE = FACTS.replace("success_eventname", MEANT).replace("f.window_from", "%(from)s").replace("f.clients_since", "%(since)s")
WOULD_BE_CLIENTS = f"""select supplier_id, (count(*) filter (where archived_at is null))::integer,
        (count(*) filter (where archived_at is null and last_at >= %(since)s))::integer
    from (select supplier_id, case when c.archived_at < r.last_at then null else c.archived_at end as archived_at,
                 greatest(c.last_activity_at, r.last_at) as last_at
          from (select * from success_client where supplier_id = any(%(ids)s)) c
          full join ({RAW_CLIENTS.replace("success_eventname", MEANT)}) r using (supplier_id, external_id)) x group by 1"""


def would_be(ids: Collection[int], *, event: int | None, meaning: str = "", feature: int | None = None, clients: bool = False, at: datetime) -> dict[int, Fact]:
    """What the facts of these suppliers would be if the event meant this; without an event, what they are. Only reads, and so locks nobody out.

    The windows end at the instant. With `clients`, so do clients follow from raw rows.
    """
    params = {"ids": list(ids), "event": event, "meaning": meaning, "feature": feature, **metrics.boundaries(at)}
    names = ("supplier_id", *COUNTED)
    found = {row[0]: dict(zip(names, row, strict=True)) for row in db.rows(f"select {', '.join(names)} from ({WOULD_BE}) x", params)}
    for supplier, total, active in db.rows(WOULD_BE_CLIENTS, params) if clients else ():
        found[supplier] |= {"clients_total": total, "clients_active": active}
    return found


# ---------------------------------------------------------------- all of them


def chunks(only: Collection[int] | None, size: int = CHUNK) -> Iterator[list[int]]:
    """Suppliers in ascending order, so many at a time."""
    for chunk in metrics.chunks(size, only=only):
        found = db.rows("select supplier_id from success_facts where supplier_id between %s and %s order by 1", [chunk.first, chunk.last])
        ids = [supplier for (supplier,) in found]
        yield ids if only is None else sorted(set(ids) & set(only))


def reconcile(
    *,
    at: datetime,
    only: Collection[int] | None = None,
    fix: bool = False,
    found: Found = lambda wrong: None,
    progress: Callable[[int], object] = lambda n: None,
) -> int:
    """Everything stored was counted again, and put right with `fix`; says how many differences there were. Harmless to repeat."""
    total = 0
    for ids in chunks(only):
        wrong = put_right(ids, at=at) if fix else differences(ids)
        found(wrong)
        total += len(wrong)
        progress(len(ids))
    return total
