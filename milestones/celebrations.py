"""CelebrationEngine: what is seen and heard when a supplier gets there."""

from collections.abc import Sequence
from datetime import datetime

from milestones.models import Achievement


def celebrate(reached: Sequence[Achievement], *, at: datetime) -> None:
    """Those suppliers are told, in the transaction in which the achievements are announced. (Notifications join here.)"""
