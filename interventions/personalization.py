"""EmailAutomation's words: a supplier's own numbers, gathered for many at once, for the letters of playbooks."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings

from interventions import calls
from success import db
from success.models import MessageTemplate

PEOPLE = """select s.id, split_part(trim(coalesce(c.name, '')), ' ', 1), s.owner_id, coalesce(u.first_name, ''), coalesce(w.booking_url, ''),
        (%(at)s::date - coalesce(s.created_at, s.first_seen_at)::date), (%(at)s::date - f.last_activity_at::date), f.clients_total, bit_count(f.features::bit(63)),
        coalesce((select e.n from success_eventuse e where e.supplier_id = s.id
            and e.event_id = (select id from success_eventname where name = 'Form Created')), 0)::bigint
    from success_supplier s join success_facts f on f.supplier_id = s.id
    left join lateral (select name from success_contact where supplier_id = s.id and erased_at is null order by is_primary desc, id limit 1) c on true
    left join auth_user u on u.id = s.owner_id and u.is_active left join success_colleague w on w.user_id = u.id
    where s.id = any(%(ids)s)"""


@dataclass(frozen=True, slots=True)
class Letter:
    """The values of one supplier's letter, and the names of those that are not known and without which it is not sent."""

    context: dict[str, Any]
    missing: list[str] = field(default_factory=list)


NEEDED = {"first_name": "her first name", "owner_name": "her owner", "days_quiet": "when she was last active"}


def people(suppliers: Collection[int], *, at: datetime) -> dict[int, Any]:
    """What is known of each, in one statement, however many."""
    return {row[0]: row for row in db.rows(PEOPLE, {"ids": list(suppliers), "at": at})}


def letters(suppliers: Collection[int], *, template: str, at: datetime, message: str = "") -> dict[int, Letter]:
    """The letters of a template. With the key of a message, links lead back to it."""
    needed = needed_by(template)
    return {key: letter(*row, needed=needed, message=message) for key, row in people(suppliers, at=at).items()}


def needed_by(template: str) -> list[str]:
    """Of the values that may not be known, those which a template's words name."""
    found = MessageTemplate.objects.filter(key=template).first()
    return [name for name in NEEDED if found and name in f"{found.subject} {found.text}"]


# Without a message (None) there is no link: signing is what costs.
def letter(
    supplier: int, first_name: str, owner: int | None, owner_name: str, booking: str, days_known: int, days_quiet: int | None, clients: int, features: int,
    forms: int, *, needed: Collection[str], message: str | None,
) -> Letter:  # fmt: skip
    context = {
        "first_name": first_name,
        "owner_name": owner_name,
        "days_known": days_known,
        "days_quiet": days_quiet,
        "clients": clients,
        "features": features,
        "forms": forms,
        "booking_url": calls.link(supplier=supplier, owner=owner, message=message) if booking and owner and message is not None else "",
        "product_url": settings.PRODUCT_URL,
    }
    return Letter(context, [NEEDED[name] for name in needed if context[name] in ("", None)])
