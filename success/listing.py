"""Suppliers as lists show them: business facts, stage, score and level, in one statement."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from success import columns, db, segments
from success.conditions import Condition
from success.stages import IN_SERVICE, stage_sql

PLAIN = ("plan", "vertical", "status", "created_at", "trial_ends_at", "renews_at", "mrr", "currency")
OF_OTHERS = ("score", "level", "next_milestone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which suppliers. Without `stage` lost or `changed_after`, only those in service, or those whom the segment takes."""

    level: str | None = None
    stage: str | None = None
    owner: str | None = None
    plan: str | None = None
    changed_after: datetime | None = None
    segment: Condition | None = None
    cursor: int = 0


def select(where: list[str]) -> str:
    chosen = ", ".join([*(f"s.{name}" for name in PLAIN), *(f"{columns.expression(name)} as {name}" for name in OF_OTHERS)])
    return f"""select s.id as key, s.external_id as id, o.username as owner, {stage_sql("%(at)s")} as stage, {chosen}
        from success_supplier s left join auth_user o on o.id = s.owner_id {columns.joins()}
        where {" and ".join(where)} order by s.id limit %(limit)s"""


def filters(wanted: Wanted) -> list[str]:
    where = ["s.id > %(cursor)s"]
    if wanted.stage != "lost" and wanted.changed_after is None and wanted.segment is None:
        where.append(IN_SERVICE)
    if wanted.stage == "lost":
        where.append("not s.internal")
    if wanted.level:
        where.append(f"{columns.expression('level')} = %(level)s")
    if wanted.stage:
        where.append(f"{stage_sql('%(at)s')} = %(stage)s")
    if wanted.owner:
        where.append("o.username = %(owner)s")
    if wanted.plan is not None:
        where.append("s.plan = %(plan)s")
    if wanted.changed_after:
        where.append(f"greatest(s.changed_at, {columns.expression('score_changed_at')}) > %(changed_after)s")
    return where


def found(wanted: Wanted, *, limit: int, at: datetime) -> tuple[list[dict[str, Any]], int | None]:
    """Up to `limit` suppliers in the order of their keys, and the last key if there are more."""
    where, params = filters(wanted), {field.name: getattr(wanted, field.name) for field in fields(wanted)} | {"limit": limit + 1, "at": at}
    if wanted.segment:
        matching, more = segments.matching(wanted.segment, at=at)
        where.append(f"s.id in ({matching})")
        params |= more
    rows = run(select(where), params)
    keys = [row.pop("key") for row in rows]
    return rows[:limit], keys[limit - 1] if len(rows) > limit else None


def one(external_id: str, *, at: datetime) -> dict[str, Any] | None:
    """One supplier, in service or not."""
    rows = run(select(["s.external_id = %(id)s"]), {"id": external_id, "limit": 1, "at": at})
    for row in rows:
        row.pop("key")
        return row
    return None


def run(sql: str, params: dict[str, Any]) -> list[dict[str, Any]]:
    names = ("key", "id", "owner", "stage", *PLAIN, *OF_OTHERS)
    return [dict(zip(names, row, strict=True)) for row in db.rows(sql, params)]
