"""The shortest way to the next level: at most two things she can really do, in her words, and what each brings. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import permutations
from math import ceil
from typing import Any, cast

from health.risk import NAMES, listed
from health.scoring import Adoption, Component, Inputs, Recency, Scorecard, Share

MOST = 2  # actions
TINY = 1e-9  # points that arithmetic may lose


@dataclass(frozen=True, slots=True)
class Step:
    """Something she can do, what it makes of the inputs, and the points it brings."""

    text: str
    component: str
    points: float
    inputs: Inputs
    effort: int  # things to do


@dataclass(frozen=True, slots=True)
class Way:
    """The steps to a level; without any, no two of them lead there."""

    level: str
    points: float
    steps: tuple[Step, ...]


def way(scorecard: Scorecard, inputs: Inputs, at: datetime) -> Way | None:
    """The way with the fewest steps, and of those the one with the least to do; None from the best level."""
    now = sum(scorecard.parts(inputs, at))
    to_next = scorecard.next_level(now)
    if to_next is None:
        return None
    level, missing = to_next
    ways = [*single(scorecard, inputs, at, missing), *double(scorecard, inputs, at, missing)]
    best = min(ways, key=lambda steps: (len(steps), sum(step.effort for step in steps)), default=())
    return Way(level, missing, tuple(best))


def single(scorecard: Scorecard, inputs: Inputs, at: datetime, missing: float) -> Iterator[tuple[Step, ...]]:
    for component in scorecard.components:
        step = take(component, inputs, at, missing)
        if step and step.points >= missing - TINY:
            yield (step,)


def double(scorecard: Scorecard, inputs: Inputs, at: datetime, missing: float) -> Iterator[tuple[Step, ...]]:
    """As much as there is of one, and of another what is then missing."""
    for first, second in permutations(scorecard.components, MOST):
        whole = take(first, inputs, at, first.max)
        rest = take(second, whole.inputs, at, missing - whole.points) if whole else None
        if whole and rest and whole.points + rest.points >= missing - TINY:
            yield (whole, rest)


def take(component: Component, inputs: Inputs, at: datetime, missing: float) -> Step | None:
    """As little of a component as brings the points, or all there is; None where there is nothing to do."""
    match component:
        case Recency():
            found = sign_in(inputs, at)
        case Adoption():
            found = adopt(component, inputs, missing)
        case Share():
            found = share(component, inputs, missing)
        case _:
            found = None
    if found is None:
        return None
    text, after, effort = found
    gained = component.points(after, at) - component.points(inputs, at)
    return Step(text, component.key, gained, after, effort) if gained > TINY else None


Found = tuple[str, Inputs, int] | None


def sign_in(inputs: Inputs, at: datetime) -> Found:
    return "sign in today", replace(inputs, last_sign_in_at=at), 1


def adopt(component: Adoption, inputs: Inputs, missing: float) -> Found:
    unused = [(key, bit) for key, bit in component.features if not inputs.features >> bit & 1]
    taken = unused[: max(1, ceil(missing * len(component.features) / component.max - TINY))]
    if not taken:
        return None
    after = replace(inputs, features=inputs.features | sum(1 << bit for _, bit in taken))
    return f"use {listed([NAMES.get(key, key.replace('_', ' ')) for key, _ in taken])} for the first time", after, 2 * len(taken)


WORDS = {  # part -> one, several; what she does with them
    "clients_active": ("client active", "clients active"),
    "forms_completed": ("form completed", "forms completed"),
    "steps_completed": ("journey step completed", "journey steps completed"),
}


def share(component: Share, inputs: Inputs, missing: float) -> Found:
    """So many more of those there are; never more clients than she has. A form or a step she may begin and complete."""
    part, whole = getattr(inputs, component.part), getattr(inputs, component.whole)
    open_ = whole - part
    if component.part == "clients_active" or whole > 0:
        if open_ <= 0:
            return None
        n = min(open_, max(1, ceil(missing * whole / component.max - TINY)))
        more = {component.part: part + n}
    else:
        n, more = 1, {component.part: 1, component.whole: 1}
    one, several = WORDS[component.part]
    return f"have {n} more {one if n == 1 else several}", replace(inputs, **cast(Any, more)), n


def sentence(steps: Sequence[Step]) -> str:
    """The steps in one sentence."""
    return listed([step.text for step in steps])
