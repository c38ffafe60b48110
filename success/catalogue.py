"""The event catalogue: which event names are known, what they mean, which properties and traits are kept."""

import time
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from django.db import OperationalError, transaction

from success import db, reconcile
from success.logs import without_addresses
from success.messages import Catalogue
from success.models import CustomField, EventName, Feature
from success.models.activity import Meaning, kept_by_default

LONGEST = 200  # characters of an event name, also where an address was longer than the word in its place
FRESH_FOR = 1.0  # seconds a process may go by what it read last
_ids: dict[str, int] = {}
_current: tuple[float, Catalogue] | None = None


def current() -> Catalogue:
    """What is kept of messages; at most a second old."""
    global _current
    if _current is None or time.monotonic() - _current[0] > FRESH_FOR:
        special = EventName.objects.exclude(kept=kept_by_default())
        read = Catalogue(dict(special.values_list("name", "kept")), kept_by_default(), frozenset(CustomField.objects.values_list("name", flat=True)))
        _current = (time.monotonic(), read)
    return _current[1]


def forget() -> None:
    """Drops what this process remembers, after the catalogue changed under it."""
    global _current
    _current = None
    _ids.clear()


def ids_of(names: Collection[str]) -> dict[str, int]:
    """Ids of event names; those never seen are entered, meaning nothing yet. An address in a name is not kept: it is entered, and counted, without."""
    kept_as = {name: without_addresses(name)[:LONGEST] if "@" in name else name for name in names}
    ids = entered(set(kept_as.values()))
    return {name: ids[kept_as[name]] for name in names}


def entered(names: Collection[str]) -> dict[str, int]:
    missing = sorted(name for name in names if name not in _ids)
    found = {name: _ids[name] for name in names if name in _ids}
    if missing:
        db.execute(
            """insert into success_eventname (name, meaning, kept, description)
               select name, 'none', %s, '' from unnest(%s::text[]) as x (name) order by name on conflict (name) do nothing""",
            [kept_by_default(), missing],
        )
        found |= dict(db.rows("select name, id from success_eventname where name = any(%s)", [missing]))
    return found


def remember(ids: Mapping[str, int]) -> None:
    """Keeps ids that are committed, so that the next batch need not ask."""
    if len(_ids) > 10_000:
        _ids.clear()
    _ids.update((name, id_) for name, id_ in ids.items() if "@" not in name)


def count_undeclared(counts: Mapping[str, int], *, bucket: int) -> None:
    """Counts the traits that were sent and not kept, by name; a name that is an address is not one to keep."""
    counts = {name: n for name, n in counts.items() if "@" not in name}
    if counts:
        db.execute(
            """insert into success_traituse as t (name, bucket, n) select name, %s, n from unnest(%s::text[], %s::bigint[]) as x (name, n) order by name
               on conflict (name, bucket) do update set n = t.n + excluded.n""",
            [bucket, list(counts), list(counts.values())],
        )


# ---------------------------------------------------------------- counts

COUNT = """insert into success_eventtotal as t (event_id, ever, week, suppliers, last_at, counted_at)
    select e.id, coalesce(u.n, 0), coalesce(d.n, 0), coalesce(u.suppliers, 0), u.last_at, %(at)s from success_eventname e
    left join (select event_id, sum(n) as n, count(*) as suppliers, max(last_at) as last_at from success_eventuse group by 1) u on u.event_id = e.id
    left join (select event_id, sum(n) as n from success_dailyuse where day between %(from)s and %(today)s group by 1) d on d.event_id = e.id
    order by 1 on conflict (event_id) do update
        set ever = excluded.ever, week = excluded.week, suppliers = excluded.suppliers, last_at = excluded.last_at, counted_at = excluded.counted_at"""


@transaction.atomic
def count(*, at: datetime) -> int:
    """Each event's total is right as of now; says how many events there are. Reads all roll-ups, too slowly for a page."""
    db.rows("select set_config('statement_timeout', '0', true)")
    return db.execute(COUNT, {"at": at, "today": at.date(), "from": at.date() - timedelta(days=6)})


WHO_HAD = """select count(*) over (), u.supplier_id from success_eventuse u join success_eventname e on e.id = u.event_id
    where e.name = %s order by hashint8(u.supplier_id), 2 limit %s"""


def who_had(name: str, *, limit: int) -> tuple[int, list[int]]:
    """How many suppliers ever had an event, and so many of them, picked by no rule that has to do with them."""
    found = db.rows(WHO_HAD, [name, limit])
    return (found[0][0] if found else 0), sorted(supplier for _, supplier in found)


# ---------------------------------------------------------------- a changed meaning

TRIES = 5


def change_meaning(*, name: str, meaning: str, feature: Feature | None, at: datetime) -> int:
    """The event means this, now and in all that ever happened: the facts of whoever had it are derived again. Says how many suppliers that is.

    Runs in transactions of its own, and may be called again if it was cut off. Clients come to be from raw rows where those are kept, and never go.

    Raises:
        OperationalError: a writer took too long, so nothing was changed.
    """
    set_meaning(name=name, meaning=meaning, feature=feature)
    forget()
    whose = db.rows("select u.supplier_id from success_eventuse u join success_eventname e on e.id = u.event_id where e.name = %s order by 1", [name])
    ids = [supplier for (supplier,) in whose]
    for place in range(0, len(ids), reconcile.CHUNK):
        reconcile.rederive(ids[place : place + reconcile.CHUNK], at=at, clients=meaning == Meaning.CLIENT_ACTIVE)
    return len(ids)


def set_meaning(*, name: str, meaning: str, feature: Feature | None, tries: int = TRIES) -> None:
    """Sets what an event means, once no transaction is left that has counted by the old meaning and not committed.

    Raises:
        OperationalError: a writer took too long, several times.
    """
    try:
        with transaction.atomic(durable=True):
            db.without_writers(patience="1s")
            EventName.objects.update_or_create(name=name, defaults={"meaning": meaning, "feature": feature})
    except OperationalError:
        if tries == 1:
            raise
        set_meaning(name=name, meaning=meaning, feature=feature, tries=tries - 1)
