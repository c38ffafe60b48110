"""What milestones hold about a supplier: what she reached says how she behaves, so it goes; the ledger of rewards stays, without a word of hers."""

from milestones.models import Achievement, Grant, Touched
from success.privacy import DELETED, EMPTIED, Held, Subject, register


def empty_grants(subject: Subject) -> int:
    """The ledger says what was given, and no longer what for."""
    return Grant.objects.filter(supplier=subject.supplier).update(achievement=None, task=None)


register(
    Held(Touched, "milestones that are to be looked at", DELETED),
    Held(Grant, "rewards that were given", EMPTIED, empty=empty_grants),
    Held(Achievement, "milestones she reached", DELETED),
)
