"""EmailAutomation's words: a supplier's own numbers, gathered for many at once, for the letters of playbooks."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings

from interventions import calls
from success import db

PEOPLE = """select s.id, split_part(trim(coalesce(c.name, '')), ' ', 1), s.owner_id, coalesce(nullif(u.first_name, ''), ''), coalesce(w.booking_url, ''),
        (%(at)s::date - coalesce(s.created_at, s.first_seen_at)::date), (%(at)s::date - f.last_activity_at::date), f.clients_total, bit_count(f.features::bit(63)),
        coalesce((select e.n from success_eventuse e where e.supplier_id = s.id
            and e.event_id = (select id from success_eventname where name = 'Form Created')), 0)::bigint, f.last_activity_at
    from success_supplier s join success_facts f on f.supplier_id = s.id
    left join success_contact c on c.supplier_id = s.id and c.is_primary
    left join auth_user u on u.id = s.owner_id and u.is_active left join success_colleague w on w.user_id = u.id
    where s.id = any(%(ids)s)"""


@dataclass(frozen=True, slots=True)
class Letter:
    """The values of one supplier's letter, and the names of those that are not known and without which it is not sent."""

    context: dict[str, Any]
    missing: list[str] = field(default_factory=list)


def letters(suppliers: Collection[int], *, at: datetime, message: str = "") -> dict[int, Letter]:
    """One statement, however many. With the key of a message, links lead back to it."""
    return {row[0]: letter(*row, message=message) for row in db.rows(PEOPLE, {"ids": list(suppliers), "at": at})}


def letter(
    supplier: int, first_name: str, owner: int | None, owner_name: str, booking: str, days_known: int, days_quiet: int | None, clients: int, features: int,
    forms: int, last_active_at: datetime | None, *, message: str,
) -> Letter:  # fmt: skip
    context = {
        "first_name": first_name,
        "owner_name": owner_name,
        "days_known": days_known,
        "days_quiet": days_quiet,
        "clients": clients,
        "clients_to_go": max(0, 25 - clients),
        "features": features,
        "forms": forms,
        "booking_url": calls.link(supplier=supplier, owner=owner, message=message) if booking and owner else "",
        "product_url": settings.PRODUCT_URL,
    }
    asked = {"her first name": first_name, "her owner": owner_name, "when she was last active": last_active_at}
    return Letter(context, [name for name, value in asked.items() if not value])
