"""What migrations do beside the work of others, without a transaction: they wait as long as it takes, and what was cut off is begun anew."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db.migrations import RunSQL
from django.db.migrations.operations.base import Operation
from django.db.models import Index

# The limits of a page would end it each time, and leave an index that is no good.
UNHURRIED, AGAIN_IN_HASTE = "set lock_timeout = 0; set statement_timeout = 0", "reset lock_timeout; reset statement_timeout"


def drop(name: str) -> str:
    return f"drop index concurrently if exists {name}"


def beside(*operations: Operation) -> list[Operation]:
    return [RunSQL(UNHURRIED, AGAIN_IN_HASTE), *operations, RunSQL(AGAIN_IN_HASTE, UNHURRIED)]


def with_index(model: str, index: Index) -> list[Operation]:
    return [RunSQL(drop(index.name), RunSQL.noop), AddIndexConcurrently(model, index)]


def without_index(model: str, name: str) -> list[Operation]:
    return [RemoveIndexConcurrently(model, name), RunSQL(RunSQL.noop, drop(name))]
