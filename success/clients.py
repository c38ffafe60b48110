"""The suppliers' clients, as the product tells them. (Activity of theirs comes in by the fold.)"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from success import db
from success.models import Client

UPSERT = """
insert into success_client as c (supplier_id, external_id, first_known_at, last_activity_at, changed_at)
select %(supplier)s, id, least(last_at, %(at)s), last_at, %(at)s from unnest(%(ids)s::text[], %(times)s::timestamptz[]) as x (id, last_at) order by id
on conflict (supplier_id, external_id) do update
    set first_known_at = least(c.first_known_at, excluded.first_known_at), last_activity_at = greatest(c.last_activity_at, excluded.last_activity_at),
        archived_at = null, changed_at = excluded.changed_at
    where c.archived_at is not null or greatest(c.last_activity_at, excluded.last_activity_at) is distinct from c.last_activity_at
returning xmax = 0
"""


@dataclass(frozen=True, slots=True)
class Put:
    added: int
    updated: int
    unchanged: int


@transaction.atomic
def put(*, supplier_id: int, clients: Mapping[str, datetime | None], at: datetime) -> Put:
    """The clients are known, and none was last active earlier than said; an archived one is back. Never moves a time back."""
    lock_facts(supplier_id)
    params = {"supplier": supplier_id, "at": at, "ids": list(clients), "times": list(clients.values())}
    added = [new for (new,) in db.rows(UPSERT, params)]
    return Put(sum(added), len(added) - sum(added), len(clients) - len(added))


@transaction.atomic
def archive(*, supplier_id: int, client: str, at: datetime) -> bool:
    """The client no longer counts; says whether there was such a one."""
    lock_facts(supplier_id)
    return bool(Client.objects.filter(supplier_id=supplier_id, external_id=client, archived_at=None).update(archived_at=at, changed_at=at))


def lock_facts(supplier_id: int) -> None:
    """Facts before clients: the order of all writers."""
    db.rows("select 1 from success_facts where supplier_id = %s for update", [supplier_id])
