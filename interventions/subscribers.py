"""What playbooks are told: a level changed, a milestone was reached, a message went out or did not."""

from datetime import datetime

import structlog
from django.db import DataError

from interventions import engine, ledger
from interventions.models import Outcome, Playbook
from success.events import subscribe
from success.models import Event, Send

log = structlog.get_logger(__name__)
REFUSED = "refused"
OUTCOMES = {"accepted": Outcome.SENT, "refused": Outcome.FAILED, "unknown": Outcome.UNKNOWN, "dropped": Outcome.SKIPPED}


def risk_changed(*, event: Event, at: datetime) -> None:
    """Playbooks that are on look at her at once."""
    if event.supplier_id is not None:
        for playbook in Playbook.objects.on().order_by("pk"):
            try:
                engine.consider(playbook.pk, [event.supplier_id], at=at)
            except DataError:  # this one asks what the database cannot compute; the others are looked at all the same
                log.exception("playbook_failed", playbook=playbook.key)


def milestone_achieved(*, event: Event, at: datetime) -> None:
    """What nagged her about it stops."""
    if event.supplier_id is not None:
        engine.end_what_is_over(at=at, only=[event.supplier_id])


def notification_sent(*, event: Event, at: datetime) -> None:
    """The ledger knows what came of the message."""
    told = event.payload
    gate = "" if told["outcome"] == "accepted" else told.get("reason") or (REFUSED if told["outcome"] == REFUSED else "")
    words = Send.objects.filter(key=told["key"], channel=told["channel"]).values_list("error", flat=True).first()
    ledger.settle(told["key"], outcome=OUTCOMES[told["outcome"]], gate=gate, why=words or gate)


subscribe("health.risk_changed", by="interventions.risk", handle=risk_changed)
subscribe("milestones.achieved", by="interventions.goals", handle=milestone_achieved)
subscribe("success.notification_sent", by="interventions.ledger", handle=notification_sent)
