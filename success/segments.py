"""Segments: which suppliers a condition holds for. Saved ones have a name that others refer to."""

from datetime import datetime
from typing import Any

from success import conditions, db, facts
from success.conditions import Condition, Facts, Test
from success.models import Segment
from success.models.suppliers import Status
from success.stages import IN_SERVICE

LEAVERS: dict[str, set[Any]] = {"status": {Status.CANCELLED, Status.PAUSED}, "stage": {"lost"}}  # by fact, values of suppliers out of service
Params = dict[str, Any]


def of(key: str) -> Segment | None:
    return Segment.objects.filter(key=key).first() if "\0" not in key else None


def condition_of(segment: Segment) -> Condition:
    """What a saved segment asks for. Raises `conditions.Invalid` where it asks for what is no longer known."""
    return facts.condition(segment.condition)


def sentence(segment: Segment, known: Facts) -> str:
    """What a saved segment asks for, in words; "" where that is no longer known."""
    try:
        return conditions.sentence(conditions.parse(segment.condition, known), known)
    except conditions.Invalid:
        return ""


def matching(condition: Condition, *, at: datetime, owner: int | None = None, prefix: str = "c", known: Facts | None = None) -> tuple[str, Params]:
    """A statement that selects the ids of the suppliers for whom it holds, and its parameters, their names beginning with `prefix`.

    Internal accounts never; those cancelled or paused only where the condition asks for them. With `owner`, of that colleague's book alone.
    `known`: the facts there are, where the caller has them already.
    """
    joins, where, params = conditions.sql(condition, facts.known() if known is None else known, at, prefix=prefix)
    among = ["not s.internal" if asks_for_leavers(condition) else IN_SERVICE]
    if owner is not None:
        among.append(f"s.owner_id = %({prefix}owner)s")
        params[f"{prefix}owner"] = owner
    return f"select s.id from success_supplier s {joins} where {' and '.join([*among, where])}", params


def asks_for_leavers(condition: Condition) -> bool:
    """Whether a condition asks by name for suppliers out of service."""
    return any(test.fact == "in_service" or bool(LEAVERS.get(test.fact, set()) & wanted(test)) for test in conditions.tests(condition))


def wanted(test: Test) -> set[Any]:
    """The values that a test asks for by name."""
    return {test.value} if test.operator == "is" else set(test.value) if test.operator == "one_of" else set()


def count(condition: Condition, *, at: datetime, owner: int | None = None) -> int:
    sql, params = matching(condition, at=at, owner=owner)
    return int(db.rows(f"select count(*) from ({sql}) x", params)[0][0])


def sample(condition: Condition, *, at: datetime, owner: int | None = None, limit: int = 5) -> tuple[int, list[int]]:
    """How many suppliers it holds for, and the ids of some."""
    sql, params = matching(condition, at=at, owner=owner)
    rows = db.rows(f"select count(*) over (), id from ({sql}) x order by hashint8(id), id limit %(limit)s", params | {"limit": limit})
    return (rows[0][0] if rows else 0), [supplier for _, supplier in rows]


def holds_for(condition: Condition, supplier: int, *, at: datetime) -> bool:
    """Whether this supplier is among those it holds for."""
    sql, params = matching(condition, at=at)
    return bool(db.rows(f"{sql} and s.id = %(supplier)s", params | {"supplier": supplier}))
