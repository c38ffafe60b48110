"""What a condition is, and whether it holds of what is known."""

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something known of a supplier `s`: its type, SQL and words.

    `sql` and, over a window, `over` may use %(at)s, %(event)s, %(days)s and the names in `params`; at least one of the two is there.
    """

    key: str
    type: str  # number, choice, text, boolean, moment or keys (a set)
    words: str  # in a list: "clients active"
    sql: str = ""
    over: str = ""
    joins: tuple[str, ...] = ()
    params: tuple[tuple[str, Any], ...] = ()
    phrase: str = ""  # in a sentence, "{}" being how much or when: "{} client{s} active"
    choices: tuple[tuple[str, str], ...] = ()
    group: str = ""
    event: bool = False  # it is about one event of the catalogue
    sure: bool = False  # it is never unknown

    @property
    def offered(self) -> dict[str, str]:
        return dict(self.choices)

    @property
    def operators(self) -> tuple[str, ...]:
        return OPERATORS[self.type] + (() if self.sure else KNOWING)


Facts = Mapping[str, Fact]
COMPARED = ("at_least", "at_most", "more_than", "less_than", "is", "is_not")
DAYS_AWAY = ("within_last", "more_than_ago", "within_next")
OPERATORS = {
    "number": COMPARED,
    "choice": ("is", "is_not", "one_of"),
    "text": ("is", "is_not", "one_of"),
    "boolean": ("is",),
    "moment": (*DAYS_AWAY, "before", "after"),
    "keys": ("has_all", "has_any", "has_none"),
}
SEVERAL = ("one_of", "has_all", "has_any", "has_none")
KNOWING = ("known", "unknown")
# Each comparison twice: in Python and in SQL.
SIGNS: dict[str, tuple[Callable[[Any, Any], bool], str]] = {
    ">=": (operator.ge, "{} >= {}"),
    "<=": (operator.le, "{} <= {}"),
    ">": (operator.gt, "{} > {}"),
    "<": (operator.lt, "{} < {}"),
    "=": (operator.eq, "{} = {}"),
    "<>": (operator.ne, "{} <> {}"),
    "in": (lambda found, wanted: found in wanted, "{} = any({}::text[])"),
    "all": (lambda found, wanted: set(wanted) <= set(found), "{} @> {}::text[]"),
    "any": (lambda found, wanted: bool(set(wanted) & set(found)), "{} && {}::text[]"),
    "none": (lambda found, wanted: not set(wanted) & set(found), "not {} && {}::text[]"),
}
PLAIN = {
    "at_least": ">=", "at_most": "<=", "more_than": ">", "less_than": "<", "is": "=", "is_not": "<>", "one_of": "in", "has_all": "all", "has_any": "any",
    "has_none": "none",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Test:
    """One comparison."""

    fact: str
    operator: str
    value: Any = None
    days: int | None = None
    event: str | None = None

    @property
    def key(self) -> str:
        """What has to be known for it: `clients`, `clients_active:30`, `events:30:Form Created`."""
        return key_of(self.fact, self.days, self.event)

    def limits(self, at: datetime) -> list[tuple[str, Any]]:
        """The comparisons it comes down to at an instant."""
        match self.operator, self.value:
            case "within_last", days:
                return [(">=", at - timedelta(days=days)), ("<=", at)]
            case "more_than_ago", days:
                return [("<", at - timedelta(days=days))]
            case "within_next", days:
                return [(">", at), ("<=", at + timedelta(days=days))]
            case "before", when:
                return [("<", starts(when))]
            case "after", when:
                return [(">", when)] if isinstance(when, datetime) else [(">=", starts(when + timedelta(days=1)))]
        return [(PLAIN[self.operator], self.value)]

    def holds(self, values: Mapping[str, Any], at: datetime) -> bool:
        found = values.get(self.key)
        if self.operator in KNOWING:
            return (found is None) == (self.operator == "unknown")
        return found is not None and all(SIGNS[sign][0](found, limit) for sign, limit in self.limits(at))


@dataclass(frozen=True, slots=True)
class Group:
    """All of several conditions, or any of them."""

    kind: str
    parts: tuple["Condition", ...]

    def holds(self, values: Mapping[str, Any], at: datetime) -> bool:
        found = (part.holds(values, at) for part in self.parts)
        return all(found) if self.kind == "all" else any(found)


Condition = Test | Group


def starts(when: date | datetime) -> datetime:
    return when if isinstance(when, datetime) else datetime.combine(when, time.min, UTC)


def key_of(fact: str, days: int | None = None, event: str | None = None) -> str:
    return f"{fact}:{days or ''}:{event}" if event is not None else f"{fact}:{days}" if days else fact


def tests(condition: Condition) -> Iterator[Test]:
    """Every test of a condition."""
    if isinstance(condition, Test):
        yield condition
    else:
        for part in condition.parts:
            yield from tests(part)


def keys(condition: Condition) -> set[str]:
    """What has to be known to say whether it holds."""
    return {test.key for test in tests(condition)}
