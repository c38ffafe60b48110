"""What health holds about a supplier: scores say how she behaves, so they go."""

from health.models import Assessment, Override, Snapshot
from success.privacy import DELETED, Held, register

register(
    Held(Assessment, "the score and what it was made from", DELETED),
    Held(Override, "levels set by our own people, and why", DELETED),
    Held(Snapshot, "the score of each day and what it was made from", DELETED),
)
