"""A day later: how far this stack's clock is ahead of the world's, for all its processes. Kept in PostgreSQL; nothing outside development reads it."""

import atexit
import os
import time
from datetime import timedelta
from threading import Lock
from typing import Any

import psycopg
from django.db import transaction
from django.db.models import F

from config.local.models import Ahead
from success import readiness
from success.models import JobRun
from success.models.jobs import RunState

Connection = psycopg.Connection[Any]
FRESH_FOR = 0.5  # seconds a process goes by what it read last
READ = f"select by from {Ahead._meta.db_table}"


class Reading:
    """What was read last, on a connection of its own: the clock is read within transactions that failed, and where there is none."""

    def __init__(self) -> None:
        self.ahead, self.until, self.lock = timedelta(), 0.0, Lock()
        self.process = 0
        self.connection: Connection | None = None

    def current(self) -> timedelta:
        """How far ahead it is; while the database is away, as it was."""
        if time.monotonic() >= self.until and self.lock.acquire(timeout=1):
            try:
                self.read()
            finally:
                self.until = time.monotonic() + FRESH_FOR
                self.lock.release()
        return self.ahead

    def read(self) -> None:
        try:
            found = self.connected().execute(READ).fetchone()
        except psycopg.Error:  # away, or not migrated yet
            self.close()
        else:
            self.ahead = found[0] if found else timedelta()

    def connected(self) -> Connection:
        """The connection, made anew in a process that was forked."""
        if self.connection is None or self.process != os.getpid():
            self.process = os.getpid()
            self.connection = psycopg.connect(**readiness.parameters(), autocommit=True)
        return self.connection

    def close(self) -> None:
        if self.connection is not None and self.process == os.getpid():
            self.connection.close()
        self.connection = None


_reading = Reading()
atexit.register(_reading.close)
current = _reading.current


def forget() -> None:
    """This process reads anew at once."""
    _reading.until = 0.0


@transaction.atomic
def go_on(by: timedelta) -> None:
    """It is later by so much; every process knows within half a second. Runs that are under way keep their leases, which end in the world."""
    Ahead._default_manager.get_or_create(pk=1)
    Ahead._default_manager.update(by=F("by") + by)
    JobRun.objects.filter(state=RunState.RUNNING).update(leased_until=F("leased_until") + by)
    transaction.on_commit(forget)


@transaction.atomic
def go_back() -> None:
    """It is as late as in the world."""
    Ahead._default_manager.all().delete()
    transaction.on_commit(forget)
