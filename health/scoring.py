"""CustomerHealthService, the arithmetic: a scorecard turns facts into points. Pure, and once more as SQL over a set.

A scorecard is data: components with their weights and steps, and thresholds. Each kind of component knows its arithmetic twice,
for one supplier (`points`) and as an expression over a facts row `f` (`sql`); a property test holds the two equal.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import add
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a score is made from. Counts of clients and submissions are those of the window asked for."""

    last_sign_in_at: datetime | None
    features: int
    clients_active: int
    clients_total: int
    forms_started: int
    forms_completed: int
    steps_started: int
    steps_completed: int


NOTHING = Inputs(None, 0, 0, 0, 0, 0, 0, 0)


class Component(Protocol):
    @property
    def key(self) -> str: ...

    @property
    def max(self) -> float: ...

    def points(self, inputs: Inputs, at: datetime) -> float:
        """Points of one supplier at an instant, 0 to `max`."""

    def sql(self, at: str) -> str:
        """The same as an expression over a row `f`, at the instant that the expression `at` gives."""

    def explain(self, inputs: Inputs, at: datetime) -> dict[str, Any]:
        """The inputs by name, as the API shows them."""


@dataclass(frozen=True, slots=True)
class Recency:
    """Points by 24-hour days since the last sign-in: the first step whose days are not yet over, else 0."""

    key: str
    max: float
    steps: tuple[tuple[int, float], ...]

    def points(self, inputs: Inputs, at: datetime) -> float:
        if inputs.last_sign_in_at is None:
            return 0.0
        return next((points for days, points in self.steps if at - inputs.last_sign_in_at < timedelta(days=days)), 0.0)

    def sql(self, at: str) -> str:
        return "case " + " ".join(f"when {at} - f.last_sign_in_at < interval '{days} days' then {points}" for days, points in self.steps) + " else 0.0 end"

    def explain(self, inputs: Inputs, at: datetime) -> dict[str, Any]:
        last = inputs.last_sign_in_at
        return {"last_sign_in_at": last, "days": None if last is None else (at - last) / timedelta(days=1)}


@dataclass(frozen=True, slots=True)
class Adoption:
    """Points by how many of the features were ever used."""

    key: str
    max: float
    features: tuple[tuple[str, int], ...]  # key and bit

    @property
    def mask(self) -> int:
        return sum(1 << bit for _, bit in self.features)

    def points(self, inputs: Inputs, at: datetime) -> float:
        return min(self.max, self.max * (inputs.features & self.mask).bit_count() / len(self.features))

    def sql(self, at: str) -> str:
        return f"least({self.max}, {self.max}::double precision * bit_count((f.features & {self.mask})::bit(64)) / {len(self.features)})"

    def explain(self, inputs: Inputs, at: datetime) -> dict[str, Any]:
        used = [key for key, bit in self.features if inputs.features >> bit & 1]
        return {"used": used, "unused": [key for key, _ in self.features if key not in used]}


@dataclass(frozen=True, slots=True)
class Share:
    """Points by a share: `part` of `whole`, or of `part` where that is more. Nothing to share: 0."""

    key: str
    max: float
    part: str
    whole: str

    def points(self, inputs: Inputs, at: datetime) -> float:
        part, whole = getattr(inputs, self.part), getattr(inputs, self.whole)
        return self.max * part / max(part, whole) if part else 0.0

    def sql(self, at: str) -> str:
        return f"case when f.{self.part} > 0 then {self.max}::double precision * f.{self.part} / greatest(f.{self.part}, f.{self.whole}) else 0.0 end"

    def explain(self, inputs: Inputs, at: datetime) -> dict[str, Any]:
        return {self.part: getattr(inputs, self.part), self.whole: getattr(inputs, self.whole)}


@dataclass(frozen=True, slots=True)
class Scorecard:
    key: str
    version: int
    components: tuple[Component, ...]
    critical_below: float
    healthy_from: float

    def parts(self, inputs: Inputs, at: datetime) -> tuple[float, ...]:
        """Points of each component, in its order; unrounded."""
        return tuple(component.points(inputs, at) for component in self.components)

    def level(self, score: float) -> str:
        return "critical" if score < self.critical_below else "at_risk" if score < self.healthy_from else "healthy"

    def next_level(self, score: float) -> tuple[str, float] | None:
        """The next better level and the points missing to it."""
        if score < self.critical_below:
            return "at_risk", self.critical_below - score
        return ("healthy", self.healthy_from - score) if score < self.healthy_from else None

    def level_sql(self, score: str) -> str:
        return f"case when {score} < {self.critical_below} then 'critical' when {score} < {self.healthy_from} then 'at_risk' else 'healthy' end"

    def points_sql(self, at: str) -> str:
        """All components as one array of double precision."""
        return "array[" + ", ".join(f"({component.sql(at)})::double precision" for component in self.components) + "]"

    def score_sql(self, points: str) -> str:
        return " + ".join(f"{points}[{place}]" for place in range(1, len(self.components) + 1))


@dataclass(frozen=True, slots=True)
class Score:
    score: float
    level: str
    parts: tuple[float, ...]


def score(scorecard: Scorecard, inputs: Inputs, at: datetime) -> Score:
    """The score of one supplier, 0 to 100, nothing rounded before the level is decided."""
    parts = scorecard.parts(inputs, at)
    total = reduce(add, parts)  # one after the other, as SQL does; sum() compensates from Python 3.12 on
    return Score(total, scorecard.level(total), parts)


# ---------------------------------------------------------------- the brief's scorecard

WS142 = Scorecard(
    key="ws142",
    version=1,
    components=(
        Recency("login_recency", 30.0, ((3, 30.0), (7, 20.0), (14, 10.0), (30, 5.0))),
        Adoption("feature_adoption", 25.0, (("forms_created", 0), ("clients_imported", 1), ("journeys_created", 2), ("templates_used", 3))),
        Share("client_activity", 25.0, "clients_active", "clients_total"),
        Share("form_completion", 10.0, "forms_completed", "forms_started"),
        Share("journey_performance", 10.0, "steps_completed", "steps_started"),
    ),
    critical_below=40.0,
    healthy_from=70.0,
)

# ---------------------------------------------------------------- whether there is a score at all

UNKNOWN_FOR = timedelta(days=3)


def status(*, in_service: bool, known_since: datetime, acted: bool, has_clients: bool, any_activity: bool, at: datetime) -> str:
    """`ok`, `insufficient_data` or `ended`. Unknown is not zero, but silence is not unknown: after three days it is a fact."""
    if not in_service:
        return "ended"
    if not any_activity or (not acted and not has_clients and at - known_since < UNKNOWN_FOR):
        return "insufficient_data"
    return "ok"


def status_sql(at: str, any_activity: str) -> str:
    """The same over a facts row `f`."""
    return f"""case when not f.in_service then 'ended'
        when not {any_activity} or (f.first_activity_at is null and f.clients_total = 0 and {at} - f.known_since < interval '3 days') then 'insufficient_data'
        else 'ok' end"""
