"""What playbooks hold about a supplier: the ledger stays, pseudonymous, and quotes nothing of hers."""

from interventions.models import Decision, Intervention, Outcome, Step
from success.privacy import EMPTIED, Held, Subject, register


def empty_decisions(subject: Subject) -> int:
    """That something was decided stays; how she stood and what was said of her goes."""
    found = Decision.objects.filter(supplier=subject.supplier)
    found.filter(outcome=Outcome.DEFERRED).update(outcome=Outcome.SKIPPED, gate="service", next_possible_at=None)  # nothing is on its way to her any more
    return found.update(health={}, gates=[])


def empty_interventions(subject: Subject) -> int:
    return Intervention.objects.filter(supplier=subject.supplier).update(overruled="")


def empty_steps(subject: Subject) -> int:
    return Step.objects.filter(supplier=subject.supplier).update(error="")


register(
    Held(Intervention, "which playbooks were begun, and how they ended", EMPTIED, empty=empty_interventions),
    Held(Step, "which of their steps were done, and when", EMPTIED, empty=empty_steps),
    Held(Decision, "every decision whether to write to her, and why", EMPTIED, empty=empty_decisions),
)
