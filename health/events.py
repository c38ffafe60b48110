"""What health tells the rest."""

from dataclasses import dataclass

from success.events import Fact


@dataclass(frozen=True)
class OverrideSet(Fact):
    """One of our own people set the level of a supplier, for a while."""

    level: str
    computed: str
    name = "health.override_set"


@dataclass(frozen=True)
class OverrideEnded(Fact):
    """The computed level of a supplier holds again: the override's time was over, or somebody ended it."""

    level: str
    by_itself: bool
    name = "health.override_ended"


@dataclass(frozen=True)
class RiskChanged(Fact):
    """The level of a supplier changed; the first level is a change from none."""

    level: str
    previous: str | None
    score: float
    scorecard: str
    name = "health.risk_changed"
