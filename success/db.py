"""How SQL is run: on the web's pooled connection or the worker's own, prepared where it is hot."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection, transaction

WRITING = 20_261_123  # the advisory lock that writers of activity share; in sql/fold_body.sql too
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
    raw.prepare_threshold = 5  # Django turns preparing off; its own cursors, which bind on the client, never prepare
    with connection.wrap_database_errors, psycopg.Cursor(raw) as cursor:
        return cursor.execute(sql, params, prepare=True).fetchall()


@contextmanager
def history() -> Iterator[None]:
    """Within, all that is written is history: recorded without event, celebration or message."""
    with transaction.atomic():
        [(before,)] = rows("select coalesce(current_setting('success.history', true), '')")
        rows("select set_config('success.history', 'on', true)")
        yield
        rows("select set_config('success.history', %s, true)", [before])


def in_history() -> bool:
    """Whether what is written now is history."""
    return bool(rows("select current_setting('success.history', true) is not distinct from 'on'")[0][0])


@contextmanager
def patient() -> Iterator[None]:
    """A writer's transaction, without a statement timeout: a batch that waits for its turn is not thrown away."""
    with transaction.atomic():
        rows("select set_config('statement_timeout', '0', true), pg_advisory_xact_lock_shared(%s)", [WRITING])
        yield


def among_writers() -> None:
    """To the end of the transaction no supplier is erased and no event changes its meaning. Taken before all other locks."""
    rows("select pg_advisory_xact_lock_shared(%s)", [WRITING])


def without_writers(*, patience: str) -> None:
    """All writers have committed, and none writes until the end of the transaction; so it is short, and gives up before the patience of those it holds up (3 s)."""
    rows("select set_config('lock_timeout', %s, true)", [patience])
    rows("select set_config('statement_timeout', '0', true), pg_advisory_xact_lock(%s)", [WRITING])
    rows("select set_config('lock_timeout', '3s', true)")
