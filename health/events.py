"""What health tells the rest."""

from dataclasses import dataclass

from success.events import Fact


@dataclass(frozen=True)
class RiskChanged(Fact):
    """The level of a supplier changed; the first level is a change from none."""

    level: str
    previous: str | None
    score: float
    scorecard: str
    name = "health.risk_changed"
