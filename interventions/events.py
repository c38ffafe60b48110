"""What playbooks tell the rest."""

from dataclasses import dataclass

from success.events import Fact


@dataclass(frozen=True)
class InterventionStarted(Fact):
    """A playbook began for a supplier."""

    playbook: str
    episode: int
    name = "interventions.started"


@dataclass(frozen=True)
class InterventionEnded(Fact):
    """A supplier's run of a playbook is over: `goal, moved, over, stopped, left`."""

    playbook: str
    episode: int
    ended: str
    name = "interventions.ended"


@dataclass(frozen=True)
class BookingOpened(Fact):
    """A supplier followed the link to book a call with her success manager, for the first time from this message."""

    message: str
    name = "interventions.booking_opened"
