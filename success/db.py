"""How SQL is run: on the web's pooled connection or the worker's own, prepared where it is hot."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection, transaction

ERASURE = 20_261_123  # the advisory lock between those who go by a supplier's name and those who erase it
Params = Mapping[str, Any] | Sequence[Any]


def rows(sql: str, params: Params = ()) -> list[tuple[Any, ...]]:
    """All rows of a statement; parameters are bound by the client."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall() if cursor.description else []


def execute(sql: str, params: Params = ()) -> int:
    """Runs a statement and says how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)


def prepared(sql: str, params: Params = ()) -> list[tuple[Any, ...]]:
    """All rows of a hot statement, its plan kept on the connection (planning is 90 % of an indexed query)."""
    connection.ensure_connection()
    raw: psycopg.Connection[tuple[Any, ...]] = connection.connection
    with connection.wrap_database_errors:
        return raw.execute(sql, params, prepare=True).fetchall()


@contextmanager
def history() -> Iterator[None]:
    """Within, all that is written is history: recorded without event, celebration or message."""
    with transaction.atomic():
        rows("select set_config('success.history', 'on', true)")
        yield
        rows("select set_config('success.history', '', true)")


def in_history() -> bool:
    """Whether what is written now is history."""
    return bool(rows("select current_setting('success.history', true) is not distinct from 'on'")[0][0])


def in_history() -> bool:
    """Whether what is written now is history."""
    return bool(rows("select current_setting('success.history', true) is not distinct from 'on'")[0][0])


@contextmanager
def patient() -> Iterator[None]:
    """A transaction without a statement timeout, which an erasure waits for: a batch that waits for its turn is not thrown away."""
    with transaction.atomic():
        rows("select set_config('statement_timeout', '0', true), pg_advisory_xact_lock_shared(%s)", [ERASURE])
        yield


def before_erasure() -> None:
    """To the end of the transaction no supplier is erased: a name that was found stays whose it is."""
    rows("select pg_advisory_xact_lock_shared(%s)", [ERASURE])


def alone_with_erasure() -> None:
    """Whoever found a supplier by its name has committed, and nobody finds one until the end of the transaction."""
    rows("select set_config('statement_timeout', '0', true), pg_advisory_xact_lock(%s)", [ERASURE])
