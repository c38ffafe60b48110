"""What every template may ask for about whom it is written to."""

from collections.abc import Collection
from typing import Any

from django.conf import settings

from success import db

FACTS = """select s.id, c.name, coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''), ''), coalesce(u.first_name, '')
    from success_supplier s
    left join lateral (select name from success_contact where supplier_id = s.id and erased_at is null order by is_primary desc, id limit 1) c on true
    left join auth_user u on u.id = s.owner_id and u.is_active
    where s.id = any(%(ids)s)"""


def values_of(suppliers: Collection[int]) -> dict[int, dict[str, Any]]:
    """`name`, `first_name`, `owner`, `owner_first_name` and `sender` of each supplier; "" for what is not known."""
    rows = db.rows(FACTS, {"ids": list(suppliers)}) if suppliers else []
    return {
        key: {"name": name or "", "first_name": first_of(name or ""), "owner": owner, "owner_first_name": owner_first, "sender": settings.SENDER_NAME}
        for key, name, owner, owner_first in rows
    }


def first_of(name: str) -> str:
    """How somebody is spoken to: the first word of the name."""
    return (name.split() or [""])[0]
