"""What a milestone takes, as JSON that people edit: read, checked and said in words. Pure.

`{"count": "event:Form Created", "at_least": 1}`, `{"count": "clients", "at_least": 25}`, `{"feature": "forms_created"}`, `{"features": 4}`,
`{"streak": "weeks", "at_least": 4}`, `{"held": "healthy", "days": 30}`, `{"profile": ["name", "email"]}`, `{"where": <a condition over facts>}`, and
`{"all": [..]}` or `{"any": [..]}` of these. Which facts there are is not known here: `definitions` checks a condition, `measures` makes it SQL.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

EVENT, CLIENTS, FEATURE, FEATURES, STREAK, HELD, PROFILE = "event", "clients", "feature", "features", "streak", "held", "profile"
WHERE, SEGMENT = "where", "segment"  # yes or no: 1 or 0 of 1
COUNTED = (EVENT, CLIENTS, FEATURE, FEATURES)  # counters that the database watches
UNITS = ("days", "weeks")
LEVELS = ("critical", "at_risk", "healthy")
PROFILE_FIELDS = ("name", "email", "phone", "timezone", "locale", "vertical")
MOST, DEEPEST = 1_000_000_000, 4


class Invalid(ValueError):
    """This is no requirement; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A number known of every supplier, and how high it has to be. `of` is the event's name, the feature's key, the unit, the level,
    the fields, or the condition as JSON.
    """

    kind: str
    of: str
    target: int

    @property
    def counter(self) -> str:
        return f"{self.kind}:{self.of}" if self.of else self.kind


@dataclass(frozen=True, slots=True)
class Several:
    """All of these, or any."""

    every: bool
    parts: tuple["Requirement", ...]


Requirement = Measure | Several


# ---------------------------------------------------------------- reading


def parse(said: Any, place: str = "", depth: int = 0) -> Requirement:
    """What the JSON asks for.

    Raises:
        Invalid: it is not one of the forms above.
    """
    if not isinstance(said, dict) or not said:
        raise Invalid(f'{place or "The requirement"}: must be an object such as {{"count": "clients", "at_least": 25}}.')
    if depth > DEEPEST:
        raise Invalid(f"{place}: is nested too deeply.")
    form = next((name for name in FORMS if name in said), None)
    if form is None:
        raise Invalid(f"{place or 'The requirement'}: has none of {', '.join(FORMS)}.")
    read, also = FORMS[form]
    if unknown := sorted(set(said) - {form, *also}):
        raise Invalid(f"{place}/{unknown[0]}: is not part of {form}.")
    return read(said, f"{place}/{form}", depth)


def count(said: Mapping[str, Any], place: str, depth: int) -> Measure:
    counter, target = text(said["count"], place), number(said, "at_least", place)
    if counter == CLIENTS:
        return Measure(CLIENTS, "", target)
    kind, _, name = counter.partition(":")
    if kind != EVENT or not name:
        raise Invalid(f"{place}: counts clients, or event: and the name of an event.")
    return Measure(EVENT, name, target)


def feature(said: Mapping[str, Any], place: str, depth: int) -> Measure:
    return Measure(FEATURE, text(said["feature"], place), 1)


def features(said: Mapping[str, Any], place: str, depth: int) -> Measure:
    return Measure(FEATURES, "", number(said, "features", place))


def streak(said: Mapping[str, Any], place: str, depth: int) -> Measure:
    return Measure(STREAK, one_of(said["streak"], UNITS, place), number(said, "at_least", place))


def held(said: Mapping[str, Any], place: str, depth: int) -> Measure:
    return Measure(HELD, one_of(said["held"], LEVELS, place), number(said, "days", place))


def profile(said: Mapping[str, Any], place: str, depth: int) -> Measure:
    fields = said["profile"]
    if not isinstance(fields, list) or not fields:
        raise Invalid(f"{place}: must be a list of {', '.join(PROFILE_FIELDS)}.")
    names = sorted({one_of(field, PROFILE_FIELDS, place) for field in fields})
    return Measure(PROFILE, ",".join(names), len(names))


def several(said: Mapping[str, Any], place: str, depth: int) -> Several:
    name = place.rpartition("/")[2]
    parts = said[name]
    if not isinstance(parts, list) or not parts:
        raise Invalid(f"{place}: must be a list of requirements.")
    return Several(name == "all", tuple(parse(part, f"{place}/{n}", depth + 1) for n, part in enumerate(parts)))


def where(said: Mapping[str, Any], place: str, depth: int) -> Measure:
    if not isinstance(said["where"], dict) or not said["where"]:
        raise Invalid(f'{place}: must be a condition such as {{"fact": "score", "is": "at_least", "value": 80}}.')
    return holds(said["where"], WHERE)


def holds(condition: Any, kind: str) -> Measure:
    """That a condition holds of her."""
    return Measure(kind, json.dumps(condition, sort_keys=True), 1)


Read = Callable[[Mapping[str, Any], str, int], Requirement]
FORMS: Mapping[str, tuple[Read, tuple[str, ...]]] = {
    "count": (count, ("at_least",)),
    "feature": (feature, ()),
    "features": (features, ()),
    "streak": (streak, ("at_least",)),
    "held": (held, ("days",)),
    "profile": (profile, ()),
    "all": (several, ()),
    "any": (several, ()),
    "where": (where, ()),
}


def text(value: Any, place: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 210 or "\0" in value:
        raise Invalid(f"{place}: must be a text.")
    return value


def number(said: Mapping[str, Any], name: str, place: str) -> int:
    value = said.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST:
        raise Invalid(f"{place}: needs {name}, a whole number from 1 on.")
    return value


def one_of(value: Any, choices: tuple[str, ...], place: str) -> str:
    if value not in choices:
        raise Invalid(f"{place}: must be one of {', '.join(choices)}.")
    return str(value)


# ---------------------------------------------------------------- what follows from it


def measures(requirement: Requirement) -> Iterator[Measure]:
    """All numbers it looks at."""
    if isinstance(requirement, Measure):
        yield requirement
    else:
        for part in requirement.parts:
            yield from measures(part)


def is_counted(requirement: Requirement) -> bool:
    """Whether one counter of the database decides it."""
    return isinstance(requirement, Measure) and requirement.kind in COUNTED


def counts(requirement: Requirement) -> bool:
    """Whether it takes a number of one thing, which can be told."""
    return isinstance(requirement, Measure) and requirement.kind in (EVENT, CLIENTS, FEATURES, STREAK, HELD)


Values = Mapping[str, int]


def met(requirement: Requirement, values: Values) -> bool:
    if isinstance(requirement, Measure):
        return values.get(requirement.counter, 0) >= requirement.target
    parts = (met(part, values) for part in requirement.parts)
    return all(parts) if requirement.every else any(parts)


def progress(requirement: Requirement, values: Values) -> tuple[int, int]:
    """How far, of how much: of all its parts those that are met, of any the one that is nearest."""
    if isinstance(requirement, Measure):
        return min(values.get(requirement.counter, 0), requirement.target), requirement.target
    if requirement.every:
        return sum(met(part, values) for part in requirement.parts), len(requirement.parts)
    return max((progress(part, values) for part in requirement.parts), key=lambda far: far[0] / far[1])


def sentence(requirement: Requirement, condition: Callable[[Any], str] = lambda said: "a condition") -> str:
    """`25 clients`, as it reads after “takes”; `condition` says conditions in words."""
    if isinstance(requirement, Several):
        return (" and " if requirement.every else " or ").join(sentence(part, condition) for part in requirement.parts)
    n, of = requirement.target, requirement.of.replace("_", " ")
    match requirement.kind:
        case "event":
            return f"“{requirement.of}” once" if n == 1 else f"“{requirement.of}” {n} times"
        case "clients":
            return "1 client" if n == 1 else f"{n} clients"
        case "feature":
            return f"{of}, once"
        case "features":
            return "1 feature" if n == 1 else f"{n} different features"
        case "streak":
            return f"{n} {of if n > 1 else of[:-1]} in a row"
        case "held":
            return f"{of} for {n} days"
        case "where":
            return condition(json.loads(requirement.of))
    return f"{requirement.of.replace(',', ', ')} told"
