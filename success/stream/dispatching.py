"""The one dispatcher: gives each push its place, in the order of commits, and tells the stream servers."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
import psycopg
import structlog
from django.db import connection as own
from psycopg import sql

from success import clock, limits
from success.stream import bells
from success.stream.connections import parameters
from success.stream.wire import PUSHES, Batch, Item

log = structlog.get_logger(__name__)

LEADING = 20_261_129  # the advisory lock of who leads
RUNG = "success_push"  # the channel of new pushes
PATIENCE = 1.0  # seconds: how long a lost notification, or a push whose time comes later, goes unnoticed
BEAT = 2.0  # seconds after which the servers hear that nothing was missed
AT_ONCE = 500

# Transactions of the dispatcher follow one another, so a place is seen only after all lower ones. A sequence never goes back, also where pushes are deleted.
PLACE = """update success_push p set place = x.place
    from (select id, nextval('success_push_place') as place from
        (select id from success_push where place is null and at <= %s order by id limit %s for no key update skip locked) w) x
    where p.id = x.id returning p.place, p.supplier_id, p.event, p.data::text, p.settled_at is not null"""

Connection = psycopg.Connection[tuple[object, ...]]


class Dispatcher:
    """Leads while it holds the lock, on the very connection by which it gives places: one that lost it can give none."""

    def __init__(self, *, stopped: Callable[[], bool]) -> None:
        self.stopped = stopped
        self.last = 0  # the highest place given
        self.said_at = 0.0

    def run(self) -> None:
        """Works until stopped; without a database it waits for one."""
        while not self.stopped():
            try:
                with psycopg.connect(**parameters("dispatcher"), autocommit=True) as connection:
                    self.lead(connection)
            except psycopg.Error as error:
                log.warning("dispatcher_away", error=type(error).__name__)
                time.sleep(PATIENCE)
            except Exception:  # whatever it is, the pages are not left waiting for who starts it again
                log.exception("dispatcher_fault")
                time.sleep(PATIENCE)

    def lead(self, connection: Connection) -> None:
        while not holds(connection):
            if self.stopped():
                return
            time.sleep(PATIENCE)
        log.info("dispatcher_leads")
        for channel in (RUNG, *bells.registered()):
            connection.execute(sql.SQL("listen {}").format(sql.Identifier(channel)))
        self.last = last_place(connection)
        rung = set(bells.registered())  # what rang while nobody led
        while not self.stopped():
            ring(rung)
            while self.dispatch(connection, at=clock.now()) == AT_ONCE:
                pass
            rung = {one.channel for one in connection.notifies(timeout=PATIENCE, stop_after=1)}

    def dispatch(self, connection: Connection, *, at: datetime) -> int:
        """A batch of what waits has its place and is told, but for what was settled meanwhile; says how many."""
        rows: list[Any] = sorted(connection.execute(PLACE, [at, AT_ONCE]).fetchall())
        if rows or time.monotonic() - self.said_at > BEAT:
            self.say(Batch(self.last, rows[-1][0] if rows else self.last, [Item(*row) for *row, settled in rows if not settled]))
        return len(rows)

    def say(self, batch: Batch) -> None:
        """The servers have heard it, or find out by the next that they have not."""
        limits.ask(lambda: limits.client().publish(PUSHES, msgspec.json.encode(batch)))
        self.last, self.said_at = batch.last, time.monotonic()


def ring(rung: set[str]) -> None:
    """What is done at once when these rang is done; what fails is left to its schedule."""
    for channel, work in bells.registered().items():
        if channel in rung:
            try:
                work(at=clock.now())
            except Exception:
                log.exception("bell_failed", channel=channel)
    if own.errors_occurred:  # perhaps the database was restarted
        own.close()


def holds(connection: Connection) -> bool:
    row = connection.execute("select pg_try_advisory_lock(%s)", [LEADING]).fetchone()
    return bool(row and row[0])


def last_place(connection: Connection) -> int:
    row = connection.execute("select coalesce(max(place), 0) from success_push").fetchone()
    return int(str(row[0])) if row else 0
