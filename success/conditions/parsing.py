"""Conditions as they are sent."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from success.conditions.definition import DAYS_AWAY, KNOWING, SEVERAL, Condition, Fact, Facts, Group, Test, tests
from success.conditions.sentences import listed

MOST_TESTS, MOST_PARTS, MOST_VALUES = 50, 30, 50  # of a condition, of a group, of one test
DEEPEST = 3  # groups within groups
LONGEST = 200  # characters of a text
MOST_DAYS = 3660
LARGEST = 1e12
UNKEPT = re.compile("[\0\ud800-\udfff]")  # no text of a database


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, where (a JSON pointer), and what to do."""

    pointer: str
    detail: str


class Invalid(ValueError):
    """What was sent is no condition."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{fault.pointer or '/'}: {fault.detail}" for fault in faults))
        self.faults = tuple(faults)


class Wrong(Exception):
    """One field of a test: its name, and what to do."""


def parse(raw: Any, facts: Facts) -> Condition:
    """The condition that was sent as JSON.

    Raises:
        Invalid: with all that is wrong with it.
    """
    faults: list[Fault] = []
    found = read(raw, facts, "", faults, depth=1)
    if not faults and sum(1 for _ in tests(found)) > MOST_TESTS:
        faults.append(Fault("", f"Ask for at most {MOST_TESTS} things at once."))
    if faults:
        raise Invalid(faults)
    return found


def read(raw: Any, facts: Facts, pointer: str, faults: list[Fault], *, depth: int) -> Condition:
    nothing = Group("all", ())
    if not isinstance(raw, dict):
        faults.append(Fault(pointer, "Send an object: a test with a fact, or a group with all or any."))
        return nothing
    for kind in ("all", "any"):
        if kind in raw:
            return read_group(raw, kind, facts, pointer, faults, depth=depth)
    try:
        return read_test(raw, facts)
    except Wrong as wrong:
        field, detail = wrong.args
        faults.append(Fault(f"{pointer}/{field}", detail))
        return nothing


def read_group(raw: dict[str, Any], kind: str, facts: Facts, pointer: str, faults: list[Fault], *, depth: int) -> Group:
    parts, detail = raw[kind], ""
    if len(raw) > 1:
        detail = f"Send {kind} alone."
    elif not isinstance(parts, list) or not parts:
        detail = "Add at least one condition."
    elif len(parts) > MOST_PARTS:
        detail = f"Take at most {MOST_PARTS} conditions in one group."
    elif depth > DEEPEST:
        detail = f"Put groups into groups at most {DEEPEST} deep."
    if detail:
        faults.append(Fault(f"{pointer}/{kind}", detail))
        return Group(kind, ())
    return Group(kind, tuple(read(part, facts, f"{pointer}/{kind}/{n}", faults, depth=depth + 1) for n, part in enumerate(parts)))


def read_test(raw: dict[str, Any], facts: Facts) -> Test:
    fact = facts.get(raw["fact"]) if isinstance(raw.get("fact"), str) else None
    if fact is None:
        raise Wrong("fact", "Choose a fact that there is." if raw.get("fact") else "Choose a fact.")
    if unknown := sorted(set(map(str, raw)) - {"fact", "is", "value", "days", "event"}):
        raise Wrong(unknown[0][:40], "Is not a field of a condition. Leave it out.")
    wanted = raw.get("is")
    if wanted not in fact.operators:
        raise Wrong("is", f"Choose one of {listed(fact.operators, 'or')}.")
    event, days = read_event(raw.get("event"), fact), read_days(raw.get("days"), fact)
    if wanted in KNOWING:
        if raw.get("value") is not None:
            raise Wrong("value", "Leave it out: nothing is compared.")
        return Test(fact.key, wanted, None, days, event)
    return Test(fact.key, wanted, read_value(raw.get("value"), fact, wanted), days, event)


def read_event(value: Any, fact: Fact) -> str | None:
    if not fact.event:
        if value is not None:
            raise Wrong("event", "Leave it out: this fact is about no event.")
        return None
    return read_text(value, "event", "Choose an event of the catalogue.")


def read_days(value: Any, fact: Fact) -> int | None:
    if value is None:
        if not fact.sql:
            raise Wrong("days", "Say over how many days.")
        return None
    if not fact.over:
        raise Wrong("days", "Leave it out: this fact has no window.")
    return read_whole(value, "days")


def read_whole(value: Any, field: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_DAYS:
        raise Wrong(field, f"Give a whole number of days from 1 to {MOST_DAYS}.")
    return value


def read_text(value: Any, field: str, otherwise: str) -> str:
    if not isinstance(value, str) or not value.strip() or UNKEPT.search(value):
        raise Wrong(field, otherwise)
    if len(value) > LONGEST:
        raise Wrong(field, f"Take at most {LONGEST} characters.")
    return value


def read_value(value: Any, fact: Fact, wanted: str) -> Any:
    if wanted in SEVERAL:
        if not isinstance(value, list) or not 1 <= len(value) <= MOST_VALUES:
            raise Wrong("value", f"Choose one to {MOST_VALUES} values.")
        return tuple(dict.fromkeys(read_one(one, fact) for one in value))
    if wanted in DAYS_AWAY:
        return read_whole(value, "value")
    return {"number": read_number, "boolean": read_boolean, "moment": read_moment}.get(fact.type, lambda one: read_one(one, fact))(value)


def read_one(value: Any, fact: Fact) -> str:
    if fact.type == "text":
        return read_text(value, "value", "Give a text.")
    offered = fact.offered
    if not isinstance(value, str) or value not in offered:
        raise Wrong("value", f"Choose one of {listed(list(offered), 'or')}." if 0 < len(offered) <= 12 else "Choose one of those offered.")
    return value


def read_number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or abs(value) > LARGEST:
        raise Wrong("value", "Give a number.")
    return value


def read_boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Wrong("value", "Choose yes (true) or no (false).")
    return value


def read_moment(value: Any) -> date | datetime:
    """A day (UTC), or an instant with its zone."""
    try:
        found = date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise Wrong("value", "Give a day, such as 2026-11-20.") from None
    if isinstance(found, datetime) and found.tzinfo is None:
        raise Wrong("value", "Give the instant with its zone, such as 2026-11-20T12:00:00Z.")
    if not 2000 <= found.year <= 2100:
        raise Wrong("value", "Give a day from 2000 to 2100.")
    return found
