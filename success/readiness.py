"""Whether this installation is fit for use: each part looked at, within a second, also when a part hangs.

The checks of the database run on a connection of their own in a thread, so that a pool that is used up or a server that no longer
answers says so instead of holding the answer back. Other apps add checks from their module `readiness`.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import psycopg
import redis
from django.conf import settings
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader

WITHIN = 0.9  # seconds for everything
OLDEST_MARK = 60.0  # seconds a change may wait for its score
OLDEST_IMPORTED = 3600.0
OLDEST_TICK = 60.0  # seconds, or three periods of the most frequent job where that is more

Cursor = psycopg.Cursor[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class State:
    """What was found of one part; the detail is for operators."""

    ok: bool
    detail: str


Check = Callable[[Cursor, datetime], State]
_checks: dict[str, Check] = {}


def register(name: str, check: Check) -> None:
    """The check is part of the whole."""
    _checks[name] = check


# ---------------------------------------------------------------- the parts


def database(cursor: Cursor, at: datetime) -> State:
    version = cursor.execute("show server_version").fetchone()
    return State(True, f"PostgreSQL {version[0] if version else ''}")


def migrations(cursor: Cursor, at: datetime) -> State:
    applied = set(cursor.execute("select app, name from django_migrations").fetchall())
    missing = sorted(known_migrations() - applied)
    return State(not missing, f"{len(missing)} not applied, first {'.'.join(missing[0])}" if missing else "all applied")


@cache
def known_migrations() -> frozenset[tuple[str, str]]:
    """The migrations this code brings."""
    return frozenset(MigrationLoader(None).disk_migrations)


def partitions(cursor: Cursor, at: datetime) -> State:
    """Activity of this month and the next has a place."""
    row = cursor.execute(
        """select count(*) from unnest(%s::timestamptz[]) as x (at)
           where to_regclass('success_activity_' || to_char(x.at at time zone 'UTC', 'YYYY_MM')) is null""",
        [[at, (at.replace(day=1) + timedelta(days=32)).replace(day=1)]],
    ).fetchone()
    missing = row[0] if row else 2
    return State(not missing, f"{missing} of this month and the next missing" if missing else "a month ahead")


LAST_TICK = """select extract(epoch from %(at)s - max(started_at))::float8,
    (select extract(epoch from min(make_interval(days => i.every * (i.period = 'days')::int, hours => i.every * (i.period = 'hours')::int,
            mins => i.every * (i.period = 'minutes')::int, secs => i.every * (i.period = 'seconds')::int)))::float8
     from django_celery_beat_periodictask t join django_celery_beat_intervalschedule i on i.id = t.interval_id
     where t.enabled and t.kwargs like '%%"job"%%') from success_jobrun"""


def last_tick(cursor: Cursor, at: datetime) -> State:
    """Beat ticks and a worker runs what it asks for. Nothing is expected where every interval is switched off."""
    age, period = cursor.execute(LAST_TICK, {"at": at}).fetchone() or (None, None)
    if period is None:
        return State(True, "no job runs at an interval")
    if age is None:
        return State(False, "no job ever ran")
    return State(age < max(OLDEST_TICK, 3 * period), f"{age:.0f} s ago")


MARKS = """select extract(epoch from %(at)s - min(dirty_at) filter (where not dirty_quiet))::float8, extract(epoch from %(at)s - min(dirty_at))::float8
    from success_facts where dirty_at is not null"""


def oldest_mark(cursor: Cursor, at: datetime) -> State:
    """What activity touched is scored soon; a large import, which nobody waits for, within the hour."""
    news, any_ = (age or 0.0 for age in cursor.execute(MARKS, {"at": at}).fetchone() or (None, None))
    return State(news < OLDEST_MARK and any_ < OLDEST_IMPORTED, f"{news:.0f} s, with imports {any_:.0f} s")


register("database", database)
register("migrations", migrations)
register("partitions", partitions)
register("last_tick", last_tick)
register("oldest_mark", oldest_mark)


def broker() -> State:
    """Redis answers."""
    client = redis.Redis.from_url(settings.CELERY_BROKER_URL, socket_timeout=WITHIN / 2, socket_connect_timeout=WITHIN / 2, retry=None)
    try:
        client.ping()
    except redis.RedisError as error:
        return State(False, type(error).__name__)
    finally:
        client.close()
    return State(True, "answers")


# ---------------------------------------------------------------- the whole

_asking = threading.Lock()


def look(*, at: datetime) -> dict[str, State]:
    """Every part by its name; one that cannot be seen, because the database is away or slow, is not fit."""
    known_migrations()
    until, found = time.monotonic() + WITHIN, dict[str, State]()
    threads = [threading.Thread(target=lambda: found.update(redis=broker()), daemon=True)]
    if _asking.acquire(blocking=False):  # a database that hangs holds no second thread
        threads.append(threading.Thread(target=ask, args=(found, at), daemon=True))
    else:
        found["database"] = State(False, "an earlier check still waits for it")
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    return {name: found.get(name, State(False, "no answer in time")) for name in [*_checks, "redis"]}


def ask(found: dict[str, State], at: datetime) -> None:
    """Looks at the parts that the database knows of, one after the other; frees the way for the next when done."""
    try:
        with psycopg.connect(**parameters(), autocommit=True) as own, own.cursor() as cursor:
            for name, check in _checks.items():
                found[name] = safely(check, cursor, at)
    except psycopg.Error as error:
        found.update({name: State(False, type(error).__name__) for name in _checks if name not in found})
    finally:
        connections.close_all()
        _asking.release()


def safely(check: Check, cursor: Cursor, at: datetime) -> State:
    try:
        return check(cursor, at)
    except Exception as error:  # a part whose check fails is not fit
        return State(False, type(error).__name__)


def parameters() -> dict[str, Any]:
    """The application's own, for a connection outside its pool that gives up soon."""
    given = connection.get_connection_params()
    return given | {
        "connect_timeout": 2,
        "options": f"{given.get('options', '')} -c statement_timeout=800",
        "tcp_user_timeout": 3000,
        "application_name": "readiness",
    }


def answer(states: dict[str, State], *, details: bool) -> dict[str, Any]:
    """The states as they are told: names and ok to anyone, the details to operators."""
    checks = {name: asdict(state) if details else {"ok": state.ok} for name, state in states.items()}
    return {"ok": all(state.ok for state in states.values()), "checks": checks}
