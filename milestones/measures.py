"""The numbers that milestones are about, of any set of suppliers, as SQL over a supplier `s`, its facts `f` and what other apps know of it."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from milestones.requirements import EVENT, FEATURE, HELD, SEGMENT, WHERE, Measure, Requirement, Several
from success import columns, conditions, db, facts, segments
from success.metrics import OWN
from success.models import EventName, Feature

FROM = "success_facts f join success_supplier s on s.id = f.supplier_id"
EVENTS = "coalesce((select u.n from success_eventuse u where u.supplier_id = f.supplier_id and u.event_id = {of}), 0)"
# Days or weeks in a row on which she did something herself: gaps and islands, each period with its place in its row and the last of that row.
IN_A_ROW = """select row_number() over (partition by island order by p) as n, max(p) over (partition by island) as last, first_at from (
        select p, first_at, p - {step} * row_number() over (order by p)::integer as island from (
            select {period} as p, min(d.first_at) as first_at from success_dailyuse d join success_eventname e on e.id = d.event_id and {own}
            where d.supplier_id = f.supplier_id group by 1
        ) periods
    ) numbered"""
PERIODS = {"days": ("d.day", 1), "weeks": ("date_trunc('week', d.day)::date", 7)}
STILL = "last >= (({at}::timestamptz at time zone 'UTC')::date - {allowed})"
OF_CONTACT = ("name", "email", "phone", "timezone", "locale")


@dataclass(frozen=True, slots=True)
class Terms:
    """What measures need to be SQL: of counters their numbers in the catalogue, of conditions the SQL over a supplier `s`, and its parameters."""

    ids: dict[str, int]
    holds: dict[str, str] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)


def terms(measures: Collection[Measure], *, ids: dict[str, int] | None = None, at: datetime) -> Terms:
    """The terms of these measures. A condition that asks for what is no longer known holds of nobody."""
    found = Terms(known_ids(measures) if ids is None else ids)
    asked = {one.counter: one.of for one in measures if one.kind in (WHERE, SEGMENT)}
    known = facts.known() if asked else {}
    for n, (counter, said) in enumerate(asked.items()):
        try:
            sql, params = segments.matching(conditions.parse(json.loads(said), known), at=at, prefix=f"w{n}_", known=known)
        except conditions.Invalid:
            found.holds[counter] = "false"
        else:
            found.holds[counter] = f"exists (select from ({sql}) x where x.id = s.id)"
            found.params.update(params)
    return found


def known_ids(measures: Iterable[Measure]) -> dict[str, int]:
    """Of the counters that the catalogue knows by a number, that number."""
    wanted = list(measures)
    events = dict(EventName.objects.filter(name__in=[one.of for one in wanted if one.kind == EVENT]).values_list("name", "pk"))
    bits = dict(Feature.objects.filter(key__in=[one.of for one in wanted if one.kind == FEATURE]).values_list("key", "bit"))
    found = {EVENT: events, FEATURE: bits}
    return {one.counter: found[one.kind][one.of] for one in wanted if one.kind in found and one.of in found[one.kind]}


def number(measure: Measure, terms: Terms, *, going_on: bool = False) -> str:
    """The measure as an expression. It holds no text of anybody's: events and features go by their numbers. `going_on`: of a streak only one that is not broken."""
    match measure.kind:
        case "event":
            return EVENTS.format(of=int(terms.ids[measure.counter])) if measure.counter in terms.ids else "0"
        case "clients":
            return "f.clients_total"
        case "feature":
            return f"(f.features >> {int(terms.ids[measure.counter])} & 1)" if measure.counter in terms.ids else "0"
        case "features":
            return "bit_count(f.features::bit(64))"
        case "streak":
            return streak(measure.of, going_on=going_on)
        case "held":
            return held(measure.of)
        case "where" | "segment":
            return f"({terms.holds[measure.counter]})::integer"
    return profile(measure.of.split(","))


def streak(unit: str, *, going_on: bool) -> str:
    """The longest row there ever was, or only the one that still goes on."""
    which = STILL.format(at="%(at)s", allowed=1 if unit == "days" else 13) if going_on else "true"
    return f"coalesce((select max(n) from ({in_a_row(unit)}) r where {which}), 0)"


def in_a_row(unit: str) -> str:
    period, step = PERIODS[unit]
    return IN_A_ROW.format(period=period, step=step, own=OWN)


def held(level: str) -> str:
    """Whole days for which the computed level has been this one. `health` tells it by name."""
    since = f"extract(epoch from %(at)s::timestamptz - {columns.expression('level_since')}) / 86400"
    return f"case when {columns.expression('computed_level')} = '{level}' then coalesce(floor({since}), 0)::integer else 0 end"


def profile(fields: Collection[str]) -> str:
    told = [f"(coalesce(c.{field}, '') <> '')::integer" for field in fields if field in OF_CONTACT]
    own = [f"(s.{field} <> '')::integer" for field in fields if field not in OF_CONTACT]
    of_contact = f"coalesce((select {' + '.join(told)} from success_contact c where c.supplier_id = s.id and c.is_primary), 0)" if told else "0"
    return " + ".join([of_contact, *own])


def condition(requirement: Requirement, terms: Terms) -> str:
    """That the requirement is met."""
    if isinstance(requirement, Several):
        return f"({(' and ' if requirement.every else ' or ').join(condition(part, terms) for part in requirement.parts)})"
    if requirement.kind in (WHERE, SEGMENT):
        return terms.holds[requirement.counter]  # bare, so that it can be joined
    return f"({number(requirement, terms)}) >= {int(requirement.target)}"


# ---------------------------------------------------------------- since when


def since(requirement: Requirement, terms: Terms) -> str:
    """When the requirement, which is met, came to be: with the last of all its parts, or the first of any."""
    if isinstance(requirement, Measure):
        return since_measured(requirement, terms)
    if requirement.every:
        return f"greatest({', '.join(since(part, terms) for part in requirement.parts)})"
    return f"least({', '.join(f'case when {condition(part, terms)} then {since(part, terms)} end' for part in requirement.parts)})"


def since_measured(measure: Measure, terms: Terms) -> str:
    match measure.kind:
        case "streak":
            return f"(select min(first_at) from ({in_a_row(measure.of)}) r where n = {int(measure.target)})"
        case "held":
            return f"{columns.expression('level_since')} + interval '{int(measure.target)} days'"
        case "profile":
            said = ", ".join(f"(c.said_at ->> '{field}')::timestamptz" for field in measure.of.split(","))
            return f"coalesce((select greatest({said}) from success_contact c where c.supplier_id = s.id and c.is_primary), f.known_since)"
        case "where":
            return "coalesce(f.last_activity_at, f.known_since)"  # the last thing she did; if that is long ago, it is history
        case "segment":
            return "null::timestamptz"  # of whom it is is no step
    return f"milestones_reached_at(f.supplier_id, '{measure.kind}', {terms.ids.get(measure.counter, 0)}, {int(measure.target)})"


def source(measures: Iterable[Measure]) -> str:
    """What has to be read from."""
    return f"{FROM} {columns.joins()}" if any(one.kind == HELD for one in measures) else FROM


# When a number last moved, of the kinds where that is known.
MOVED = {
    "event": "(select u.last_at from success_eventuse u where u.supplier_id = f.supplier_id and u.event_id = {of})",
    "clients": "(select max(c.first_known_at) from success_client c where c.supplier_id = f.supplier_id and c.archived_at is null)",
    "features": """(select max(x.first_at) from (select min(u.first_at) as first_at from success_eventuse u join success_eventname e on e.id = u.event_id
        where u.supplier_id = f.supplier_id and e.feature is not null group by e.feature) x)""",
    "streak": "f.last_activity_at",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """A supplier's counters as they stand, when each last moved, and since when she is known."""

    known_since: datetime
    values: dict[str, int]
    moved: dict[str, datetime | None]


def standings(suppliers: Collection[int], asked: Collection[Measure], terms: Terms, *, at: datetime) -> dict[int, Standing]:
    """How these suppliers stand."""
    by_counter = {one.counter: one for one in asked}
    numbers = [number(one, terms, going_on=True) for one in by_counter.values()]
    moved = [MOVED.get(one.kind, "null").format(of=terms.ids.get(one.counter, 0)) for one in by_counter.values()]
    sql = f"select {', '.join(['f.supplier_id', 'f.known_since', *numbers, *moved])} from {source(by_counter.values())} where f.supplier_id = any(%(ids)s)"
    found, n = db.rows(sql, terms.params | {"at": at, "ids": list(suppliers)}), len(by_counter)
    return {row[0]: Standing(row[1], dict(zip(by_counter, row[2 : n + 2], strict=True)), dict(zip(by_counter, row[n + 2 :], strict=True))) for row in found}
