"""What milestones tell the rest."""

from dataclasses import dataclass

from success.events import Fact


@dataclass(frozen=True)
class Achieved(Fact):
    """A supplier reached a milestone; `count` of `counter` is what it took."""

    milestone: str
    title: str
    counter: str
    count: int
    name = "milestones.achieved"


@dataclass(frozen=True)
class Revoked(Fact):
    """One of our own people took an achievement back."""

    milestone: str
    name = "milestones.revoked"


@dataclass(frozen=True)
class RewardGranted(Fact):
    """A supplier was given a reward. Of one that needs another system, that system says by the API whether it is done."""

    grant: str
    reward: str
    kind: str
    value: float
    unit: str
    milestone: str
    name = "milestones.reward_granted"


@dataclass(frozen=True)
class RewardClawedBack(Fact):
    """A reward was taken back, because the achievement was."""

    grant: str
    reward: str
    kind: str
    value: float
    unit: str
    was_redeemed: bool
    name = "milestones.reward_clawed_back"
