"""How soon a supplier at risk is written to: from the commit of the risk to the claim of the first letter."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.test import override_settings

from health.events import RiskChanged
from interventions import engine
from interventions.models import Playbook
from success import clock, due, events
from success.models import Contact, Supplier
from success.notifications import sending
from tests.bench.databases import Databases
from tests.bench.figures import Figure, Section, section
from tests.bench.timing import quantile

REACHED = 100
READY = {"SENDER_NAME": "Bench", "REPLY_TO": "bench@example.com", "POSTAL_ADDRESS": "1 Bench Street", "QUIET_HOURS": "00:00-00:00"}
KNOWN = {"fact": "clients", "is": "at_least", "value": 0}
NEVER = {"fact": "clients", "is": "at_least", "value": 1_000_000}


def playbooks(sizes: list[int], rounds: int, found: Databases) -> Section:
    return section(
        "Playbooks",
        f"{REACHED} suppliers, each a risk of its own: from its commit to the claim of her letter, in one process that does deliveries, steps and sends in turn. "
        "The broker and the mail server are left out.",
        [figure for size in sizes for figure in of_size(size, found)],
    )


def of_size(size: int, found: Databases) -> list[Figure]:
    found.use(size)
    with override_settings(**READY), reachable() as suppliers:
        taken = [to_claim(supplier) for supplier in suppliers]
    return [Figure(f"{size:,} suppliers, risk to first letter claimed, p99", quantile(taken, 0.99), "p50", quantile(taken, 0.5))]


@contextmanager
def reachable() -> Iterator[list[int]]:
    """Suppliers with an owner and an address, and one playbook that is on for them; gone afterwards."""
    with transaction.atomic():
        owner = User.objects.create(username="bench", first_name="Bench")
        suppliers = list(Supplier.objects.in_service().order_by("pk").values_list("pk", flat=True)[:REACHED])
        Supplier.objects.filter(pk__in=suppliers).update(owner=owner)
        Contact.objects.bulk_create(
            Contact(supplier_id=key, external_id=f"bench-{key}", name="Bench", email=f"bench-{key}@example.com", is_primary=True) for key in suppliers
        )
        on = clock.now() - timedelta(days=7)
        steps = [{"do": "message", "template": "first_weeks_quiet"}]
        Playbook.objects.create(key="bench", name="Bench", condition=KNOWN, goal=NEVER, steps=steps, changed_at=on, switched_on_at=on)
        yield suppliers
        transaction.set_rollback(True)


def to_claim(supplier: int) -> float:
    """Seconds until her letter is in the channel's hand."""
    claimed: list[float] = []

    def take(row: object, *, at: object) -> due.Outcome:
        claimed.append(time.perf_counter())
        return due.Accepted()

    with transaction.atomic():
        events.publish(RiskChanged("critical", "at_risk", 30.0, "bench"), supplier=supplier, at=clock.now())
    start = time.perf_counter()
    for kind in (due.registered()[events.DELIVERIES], due.registered()[engine.STEPS], replace(sending.KIND, carry_out=take)):
        due.run(kind, at=clock.now())
    [end] = claimed
    return end - start
