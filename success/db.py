"""How SQL is run: on the web's pooled connection or the worker's own, prepared where it is hot."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection, transaction

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


@contextmanager
def patient() -> Iterator[None]:
    """A transaction without a statement timeout: a batch that waits for its turn is not thrown away."""
    with transaction.atomic():
        rows("select set_config('statement_timeout', '0', true)")
        yield
