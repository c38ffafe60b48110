"""Conditions as SQL over suppliers."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from success.conditions.definition import KNOWING, SIGNS, Condition, Fact, Facts, Group, tests


class Bound:
    """Parameters of a statement, gathered while it is written."""

    def __init__(self, prefix: str = "c") -> None:
        self.prefix = prefix
        self.params: dict[str, Any] = {}

    def __call__(self, value: Any) -> str:
        name = f"{self.prefix}{len(self.params)}"
        self.params[name] = value
        return f"%({name})s"

    def filled(self, sql: str, values: Mapping[str, Any]) -> str:
        """SQL whose own names stand for these values."""
        return re.sub(r"%\((\w+)\)s", lambda name: self(values[name[1]]), sql)


def sql(condition: Condition, facts: Facts, at: datetime, *, prefix: str = "c") -> tuple[str, str, dict[str, Any]]:
    """Over a supplier `s`: the joins it needs, the condition itself, and the parameters of both, their names beginning with `prefix`."""
    bound = Bound(prefix)
    asked = [facts[test.fact] for test in tests(condition)]
    return joins(asked, bound, at), where(condition, facts, at, bound), bound.params


def joins(asked: Sequence[Fact], bound: Bound, at: datetime) -> str:
    return bound.filled(" ".join(dict.fromkeys(join for fact in asked for join in fact.joins)), {"at": at})


def where(condition: Condition, facts: Facts, at: datetime, bound: Bound) -> str:
    if isinstance(condition, Group):
        return "(" + (" and " if condition.kind == "all" else " or ").join(where(part, facts, at, bound) for part in condition.parts) + ")"
    found = f"({expression(facts[condition.fact], bound, at, condition.days, condition.event)})"
    if condition.operator in KNOWING:
        return f"{found} is {'not ' if condition.operator == 'known' else ''}null"
    return " and ".join(SIGNS[sign][1].format(found, bound(listed(limit))) for sign, limit in condition.limits(at))


def listed(value: Any) -> Any:
    """A value as the database takes it."""
    return list(value) if isinstance(value, tuple) else value


def expression(fact: Fact, bound: Bound, at: datetime, days: int | None = None, event: str | None = None) -> str:
    """The value of a fact, over a supplier `s` and its joins."""
    return bound.filled(fact.over if days else fact.sql, {"at": at, "days": days, "event": event, **dict(fact.params)})
