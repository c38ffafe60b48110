"""What migrations do beside the work of others, without a transaction: they wait as long as it takes, and what was cut off is begun anew."""

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import transaction
from django.db.migrations import RunPython, RunSQL
from django.db.migrations.operations.base import Operation
from django.db.models import Index

CHUNK = 5_000  # suppliers
# The limits of a page would end it each time, and leave an index that is no good.
UNHURRIED, AGAIN_IN_HASTE = "set lock_timeout = 0; set statement_timeout = 0", "reset lock_timeout; reset statement_timeout"


def in_ranges(table: str, *statements: str) -> RunPython:
    """Statements over suppliers, a range of ids at a time and each range a transaction, so that nobody waits long. What was done before is to stay as it is."""

    def run(apps: Any, schema_editor: Any) -> None:
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(f"select coalesce(max(supplier_id), 0) from {table}")
            [(last,)] = cursor.fetchall()
            for first in range(0, last + 1, CHUNK):
                with transaction.atomic(using=schema_editor.connection.alias):
                    for statement in statements:
                        cursor.execute(statement, {"first": first, "last": first + CHUNK - 1})

    return RunPython(run, RunPython.noop)


def drop(name: str) -> str:
    return f"drop index concurrently if exists {name}"


def beside(*operations: Operation) -> list[Operation]:
    return [RunSQL(UNHURRIED, AGAIN_IN_HASTE), *operations, RunSQL(AGAIN_IN_HASTE, UNHURRIED)]


def with_index(model: str, index: Index) -> list[Operation]:
    return [RunSQL(drop(index.name), RunSQL.noop), AddIndexConcurrently(model, index)]


def without_index(model: str, name: str) -> list[Operation]:
    return [RemoveIndexConcurrently(model, name), RunSQL(RunSQL.noop, drop(name))]
