"""Conditions as people read them."""

from collections.abc import Sequence
from datetime import date, datetime

from success.conditions.definition import DAYS_AWAY, KNOWING, Condition, Fact, Facts, Group, Test

WORDS = {
    "at_least": "at least {}", "at_most": "at most {}", "more_than": "more than {}", "less_than": "less than {}", "is": "is {}", "is_not": "is not {}",
    "one_of": "is {}", "within_last": "within the last {}", "more_than_ago": "more than {} ago", "within_next": "within the next {}", "before": "before {}",
    "after": "after {}", "has_all": "include {}", "has_any": "include {}", "has_none": "include neither {}", "known": "known", "unknown": "not known",
}  # fmt: skip


def sentence(condition: Condition, facts: Facts) -> str:
    """`score less than 70 and (plan is pro or at least 3 features used)`."""
    if isinstance(condition, Test):
        return said(condition, facts[condition.fact])
    parts = [sentence(part, facts) for part in condition.parts]
    within = [f"({text})" if isinstance(part, Group) and len(part.parts) > 1 else text for part, text in zip(condition.parts, parts, strict=True)]
    return (" and " if condition.kind == "all" else " or ").join(within)


def said(test: Test, fact: Fact) -> str:
    event = f"“{test.event}”" if test.event else ""
    window = f" in the last {days_of(test.days)}" if test.days else ""
    subject = f"{event} {fact.words}".strip() + window
    if test.operator in KNOWING:
        return f"{subject} is {WORDS[test.operator]}"
    if fact.type == "boolean":
        return f"is {fact.words}" if test.value else f"is not {fact.words}"
    how = how_of(test, fact).format(worded(test, fact))
    return (fact.phrase or "{words} {}").format(how, event=event, words=fact.words, s="" if test.value == 1 else "s") + window


def how_of(test: Test, fact: Fact) -> str:
    if test.operator == "has_none" and len(test.value) == 1:
        return "do not include {}"
    return {"is": "exactly {}", "is_not": "other than {}"}.get(test.operator, WORDS[test.operator]) if fact.type == "number" else WORDS[test.operator]


def worded(test: Test, fact: Fact) -> str:
    match test.value:
        case tuple() as several:
            titles = [fact.offered.get(value, str(value)) for value in several] if fact.choices else [*map(str, several)]
            return listed(titles, {"has_all": "and", "has_none": "nor"}.get(test.operator, "or"))
        case date() as when:
            return f"{when:%-d %b %Y}" + (f" {when:%H:%M} UTC" if isinstance(when, datetime) else "")
        case str() as value:
            return fact.offered.get(value, value) if fact.choices else value
    return days_of(test.value, one="1 day" if test.operator == "more_than_ago" else "day") if test.operator in DAYS_AWAY else f"{test.value:,}"


def days_of(n: int, *, one: str = "day") -> str:
    return one if n == 1 else f"{n} days"


def listed(words: Sequence[str], last: str) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"
