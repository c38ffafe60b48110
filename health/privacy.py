"""What health holds about a supplier: scores say how she behaves, so they go."""

from health.models import Assessment, Snapshot
from success.privacy import DELETED, Held, register

register(
    Held(Assessment, "the score and what it was made from", DELETED),
    Held(Snapshot, "the score of each day and what it was made from", DELETED),
)
