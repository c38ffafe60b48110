"""CelebrationEngine: what is said to a supplier who got somewhere, written for a person: the milestone, what it says, and what opens up next."""

from collections.abc import Sequence
from datetime import datetime

import structlog

from milestones.models import Achievement, Celebration
from success import notifications

log = structlog.get_logger(__name__)
REACHED = "milestone_reached"  # the template


def celebrate(reached: Sequence[Achievement], *, at: datetime) -> None:
    """Those suppliers find it in their inbox, in the transaction in which the achievements are announced."""
    asks = [
        notifications.Ask(
            supplier=one.supplier_id,
            template=REACHED,
            key=f"milestone:{one.pk}",
            cause=cause_of(one),
            channels=("in_app",),
            context={"milestone": one.milestone.name, "words": one.milestone.words, "opens_next": one.milestone.opens_next},
        )
        for one in reached
        if one.milestone.celebration != Celebration.NONE
    ]
    try:
        notifications.notify_all(asks, at=at)
    except notifications.UnknownTemplate:  # somebody took it out: what was reached is announced, and rewarded, all the same
        log.warning("not_celebrated", template=REACHED, achievements=len(asks))


def withdraw(achievement: Achievement, *, at: datetime) -> None:
    """What was not read of it yet is gone."""
    notifications.cancel(cause=cause_of(achievement), at=at)


def cause_of(achievement: Achievement) -> str:
    return f"milestone:{achievement.pk}"
