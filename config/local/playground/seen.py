"""What the product knows of its own supplier, and what this system sees and does beside it, in plain words."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from config.console.timeline import timeline
from config.local.demo.sarah import ID as SARAH
from interventions import plans
from interventions.models import Intervention
from success import db
from success.models import Client, Contact, Supplier
from success.models.due import State

FOUND = 8
EVENTS, TOLD, CLIENTS = 60, 10, 500
NOT_TOLD = {"activity", "edit", "level", "level_today", "milestone"}  # seen elsewhere in the drawer
COUNTS = "select e.name, u.n from success_eventuse u join success_eventname e on e.id = u.event_id where u.supplier_id = %s"
LATEST = """select e.name, a.occurred_at, coalesce(a.properties ->> 'client_id', '') from success_activity a join success_eventname e on e.id = a.event_id
    where a.supplier_id = %s and e.meaning <> 'sign_in_reported'
    order by a.received_at desc, a.occurred_at desc, a.properties ? 'client_id' desc nulls last limit %s"""


def suppliers() -> QuerySet[Supplier]:
    """Those whom the playground may play: the demo's own."""
    return Supplier.objects.filter(source__is_demo=True)


def find(words: str) -> list[dict[str, Any]]:
    """The demo's suppliers of this name, person or company; Sarah first, and she alone is offered where nothing is asked."""
    people = Contact.objects.filter(supplier__in=suppliers(), is_primary=True).select_related("supplier")
    named = people.filter(name__icontains=words) | people.filter(supplier__custom__company__icontains=words)
    found = list(named.order_by("name")[:FOUND]) if words else list(people.filter(supplier__status="trial").order_by("-supplier__created_at")[:FOUND])
    sarah = [one for one in people.filter(supplier__external_id=SARAH) if words.lower() in f"{one.name} {company(one.supplier)}".lower()]
    return [about(one.supplier, one.name) for one in [*sarah, *(one for one in found if one.supplier.external_id != SARAH)]][:FOUND]


def company(supplier: Supplier) -> str:
    return str(supplier.custom.get("company") or "")


def about(supplier: Supplier, name: str) -> dict[str, Any]:
    return {"id": supplier.external_id, "name": name or supplier.external_id, "company": company(supplier), "trade": supplier.vertical}


def account(supplier: Supplier) -> dict[str, Any]:
    """What WedSync would have in its own database."""
    contact = supplier.contacts.filter(is_primary=True).first()
    clients = Client.objects.filter(supplier=supplier, archived_at=None).order_by("-first_known_at", "external_id")[:CLIENTS]
    return {
        **about(supplier, contact.name if contact else ""),
        "email": contact.email if contact else "",
        "plan": supplier.plan,
        "status": supplier.status,
        "trial_ends_at": supplier.trial_ends_at,
        "last_sign_in_at": supplier.facts.last_sign_in_at,
        "manager": supplier.owner.first_name if supplier.owner else "",
        "clients": [{"id": one.external_id, "since": one.first_known_at, "last": one.last_activity_at} for one in clients],
        "counts": dict(db.rows(COUNTS, [supplier.pk])),
    }


def system(supplier: Supplier, *, at: datetime) -> dict[str, Any]:
    """What has arrived of her, what she was told or not and why, and what is next; the latest first."""
    entries = [one for one in timeline(supplier.pk, before=at, zone="UTC") if one.kind not in NOT_TOLD][:TOLD]
    return {
        "events": [{"name": name, "at": at, "client": client} for name, at, client in db.rows(LATEST, [supplier.pk, EVENTS])],
        "told": [{"at": one.at, "kind": one.kind, "title": one.title, "text": one.text} for one in entries],
        "runs": [run(one) for one in Intervention.objects.running().filter(supplier=supplier).select_related("playbook")],
        "page": reverse("console:supplier", args=[supplier.pk]),
    }


def run(one: Intervention) -> dict[str, Any]:
    """A playbook under way, and the step it waits for."""
    waiting = one.due_steps.filter(state__in=(State.QUEUED, State.CLAIMED)).order_by("place").first()
    step = plans.read(one.steps)[waiting.place].words if waiting else ""
    return {"playbook": one.playbook.name, "step": step, "at": waiting.due_at if waiting else None}
