"""What playbooks are told: a level changed, a milestone was reached, a message went out or did not."""

from datetime import datetime

from interventions import engine, ledger
from interventions.models import Outcome, Playbook
from success.events import subscribe
from success.models import Event

OUTCOMES = {"accepted": Outcome.SENT, "refused": Outcome.FAILED, "unknown": Outcome.UNKNOWN, "dropped": Outcome.SKIPPED}


def risk_changed(*, event: Event, at: datetime) -> None:
    """Playbooks that are on look at her at once."""
    if event.supplier_id is not None:
        for playbook in Playbook.objects.on().order_by("pk"):
            engine.consider(playbook.pk, [event.supplier_id], at=at)


def milestone_achieved(*, event: Event, at: datetime) -> None:
    """What nagged her about it stops."""
    if event.supplier_id is not None:
        engine.end_what_is_over(at=at, only=[event.supplier_id])


def notification_sent(*, event: Event, at: datetime) -> None:
    """The ledger knows what came of the message."""
    told = event.payload
    reason = told.get("reason") or ""
    ledger.settle(told["key"], outcome=OUTCOMES[told["outcome"]], gate=reason if told["outcome"] != "accepted" else "", why=reason)


subscribe("health.risk_changed", by="interventions.risk", handle=risk_changed)
subscribe("milestones.achieved", by="interventions.goals", handle=milestone_achieved)
subscribe("success.notification_sent", by="interventions.ledger", handle=notification_sent)
