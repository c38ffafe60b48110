"""The steps of a playbook, read from their JSON: what is done, and how many days after the step before. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MOST_STEPS = 12
MOST_DAYS = 90
MOST_LETTERS = 200  # of a title or a key
CATEGORIES = ("tips", "milestones", "rewards", "calls")  # of messages to suppliers
FIELDS = {"message": {"template", "category"}, "task": {"title", "unless_active"}}


@dataclass(frozen=True, slots=True)
class Plan:
    """One step. A message is of a template; a task for the owner has a title, and may be left out where she became active meanwhile."""

    do: str
    after_days: int = 0
    template: str = ""
    category: str = "tips"
    title: str = ""
    unless_active: bool = False

    @property
    def words(self) -> str:
        when = {0: "at once", 1: "a day later"}.get(self.after_days, f"{self.after_days} days later")
        if self.do == "message":
            return f"{when}, the message “{self.template.replace('_', ' ')}”"
        return f"{when}, a task for the owner: {self.title}{', unless she is active by then' if self.unless_active else ''}"


class Invalid(Exception):
    """A step cannot be read. `place` is which, from 0; the message says what to do."""

    def __init__(self, place: int, what: str) -> None:
        super().__init__(what)
        self.place = place


def read(steps: Sequence[Mapping[str, Any]]) -> list[Plan]:
    """Raises Invalid where a step says what we do not know, or not enough."""
    if not isinstance(steps, list) or not 1 <= len(steps) <= MOST_STEPS:
        raise Invalid(0, f"A playbook has 1 to {MOST_STEPS} steps.")
    return [step(place, one) for place, one in enumerate(steps)]


def step(place: int, told: Any) -> Plan:
    if not isinstance(told, dict) or told.get("do") not in FIELDS:
        raise Invalid(place, f"A step does one of: {', '.join(FIELDS)}.")
    if unknown := sorted(set(told) - FIELDS[told["do"]] - {"do", "after_days"}):
        raise Invalid(place, f"A {told['do']} knows no “{unknown[0]}”.")
    after = told.get("after_days", 0)
    if type(after) is not int or not 0 <= after <= MOST_DAYS:
        raise Invalid(place, f"`after_days` is a whole number from 0 to {MOST_DAYS}.")
    needed = "template" if told["do"] == "message" else "title"
    if not isinstance(told.get(needed), str) or not told[needed].strip():
        raise Invalid(place, f"A {told['do']} needs a {needed}.")
    if len(told[needed]) > MOST_LETTERS or "\0" in told[needed]:
        raise Invalid(place, f"The {needed} has at most {MOST_LETTERS} letters.")
    if not isinstance(told.get("category", "tips"), str) or told.get("category", "tips") not in CATEGORIES:
        raise Invalid(place, f"`category` is one of: {', '.join(CATEGORIES)}.")
    if type(told.get("unless_active", False)) is not bool:
        raise Invalid(place, "`unless_active` is true or false.")
    return Plan(**told)
