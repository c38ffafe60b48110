"""Suppliers and the people behind them: the one door through which they come to be, and their traits change."""

import hashlib
import hmac
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Func, JSONField, Value

from success import db, events
from success.messages import BUSINESS, PERSONAL
from success.models import Contact, Erased, Source, Supplier
from success.models.suppliers import Status


class SupplierCancelled(events.Fact):
    """A supplier has left: its status became cancelled."""

    name = "success.supplier_cancelled"


class SupplierReturned(events.Fact):
    """A supplier is back that had cancelled, or was paused or internal."""

    name = "success.supplier_returned"


class SupplierErased(Exception):
    """This id was erased on request and is not taken in again."""


# ---------------------------------------------------------------- the erased

SUPPLIER, PERSON, ADDRESS = "supplier", "person", "address"


def digest_of(value: str, *, kind: str = SUPPLIER) -> bytes:
    """The keyed hash under which an erased id or address is remembered. Ids are told apart by case, addresses are not.

    The kind is part of it: a product that counts its accounts and its people from 1 has a supplier 7 and another person 7.
    """
    plain = value.strip()
    return hmac.digest(settings.SENSITIVE_KEY.encode(), f"{kind}\0{plain.lower() if '@' in plain else plain}".encode(), hashlib.sha256)


def erased_among(values: Iterable[str], *, kind: str = SUPPLIER) -> set[str]:
    """Which of these ids or addresses of a kind were erased."""
    values = set(values)
    if not values or not Erased.objects.exists():
        return set()
    digests = {value: digest_of(value, kind=kind) for value in values}
    found = {bytes(digest) for digest in Erased.objects.filter(digest__in=set(digests.values())).values_list("digest", flat=True)}
    return {value for value, digest in digests.items() if digest in found}


# ---------------------------------------------------------------- coming to be


def resolve(first_seen: Mapping[str, datetime], *, source: Source | None, at: datetime) -> dict[str, int]:
    """Ids of the suppliers named, made where they are new, first seen at the instant given for each. The erased are left out.

    Run it within `db.patient` or after `db.among_writers`, or a supplier erased meanwhile is written to.
    """
    names = sorted(first_seen)
    known = ids_of(names)
    new = [name for name in names if name not in known]
    if not new:
        return known
    erased = erased_among(new)
    new = [name for name in new if name not in erased]
    db.execute(
        """insert into success_supplier (external_id, source_id, status, internal, plan, vertical, currency, custom, first_seen_at, changed_at)
           select name, %s, 'active', false, '', '', '', '{}', least(seen, %s), %s from unnest(%s::text[], %s::timestamptz[]) as x (name, seen) order by name
           on conflict (external_id) do nothing""",
        [source.pk if source else None, at, at, new, [first_seen[name] for name in new]],
    )
    return known | ids_of(new)


def ids_of(names: Sequence[str]) -> dict[str, int]:
    return dict(db.prepared("select external_id, id from success_supplier where external_id = any(%s)", [list(names)]))


def lock_seen_earlier(ids: Mapping[str, int], seen: Mapping[str, datetime]) -> dict[int, datetime]:
    """Of these suppliers those seen earlier than was known, locked in the order all writers keep, each with the earlier instant."""
    found = db.rows(
        """select s.id, x.seen from success_supplier s join unnest(%s::bigint[], %s::timestamptz[]) as x (id, seen) on x.id = s.id
           where s.first_seen_at > x.seen order by s.id for no key update of s""",
        [list(ids.values()), [seen[name] for name in ids]],
    )
    announce([supplier for supplier, _ in found])
    return dict(found)


def announce(ids: Collection[int]) -> None:
    """A fold in this transaction locks the facts of these suppliers too, in one order with its own: to change them afterwards needs no new lock."""
    if ids:
        db.rows(
            "select set_config('success.changing', (coalesce(nullif(current_setting('success.changing', true), ''), '{}')::bigint[] "
            "|| %s::bigint[])::text, true)",
            [list(ids)],
        )


def see_earlier(earlier: Mapping[int, datetime]) -> None:
    """Locked suppliers were first seen at these instants."""
    if earlier:
        db.execute(
            "update success_supplier s set first_seen_at = x.seen from unnest(%s::bigint[], %s::timestamptz[]) as x (id, seen) where x.id = s.id",
            [list(earlier), list(earlier.values())],
        )


def resolve_one(name: str, *, source: Source | None, at: datetime) -> int:
    """The id of one supplier, made if it is new.

    Raises:
        SupplierErased: it asked to be forgotten.
    """
    db.among_writers()
    ids = resolve({name: at}, source=source, at=at)
    if name not in ids:
        raise SupplierErased
    return ids[name]


# ---------------------------------------------------------------- changing


def lock(ids: Iterable[int]) -> dict[int, Supplier]:
    """The suppliers, locked in the order all writers keep."""
    ids = set(ids)
    announce(ids)
    return {supplier.pk: supplier for supplier in Supplier.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True)}


def update(supplier: Supplier, traits: Mapping[str, Any], *, at: datetime, said_at: datetime | None = None) -> bool:
    """Sets business traits of a locked supplier, but for those said later than `said_at` (else `at`); says whether anything changed.

    Leaving and returning are published.
    """
    said_at = said_at or at
    before, served = supplier.status, supplier.in_service
    changed = []
    for name, value in still_true(business_values(traits), supplier.said_at, said_at=said_at).items():
        if name == "custom":
            supplier.said_at |= {f"custom.{field}": said_at.isoformat() for field in value if supplier.custom.get(field) != value[field]}
            value = {**supplier.custom, **value}
        if getattr(supplier, name) != value:
            setattr(supplier, name, value)
            supplier.said_at[name] = said_at.isoformat()
            changed.append(name)
    if not changed:
        return False
    if supplier.status != before and Status.CANCELLED in (supplier.status, before) and "cancelled_at" not in changed:
        supplier.cancelled_at = said_at if supplier.status == Status.CANCELLED else None
        changed.append("cancelled_at")
    tell_of_service(supplier, before=before, served=served, at=at)
    supplier.changed_at = at
    supplier.save(update_fields=[*changed, "said_at", "changed_at"])
    return True


def still_true(values: Mapping[str, Any], known: Mapping[str, str], *, said_at: datetime) -> dict[str, Any]:
    """Of what was said then, that about which nothing was said later."""

    def later(name: str) -> bool:
        return name in known and datetime.fromisoformat(known[name]) > said_at

    found = {name: value for name, value in values.items() if name == "custom" or not later(name)}
    if "custom" in found:
        found["custom"] = {field: value for field, value in found["custom"].items() if not later(f"custom.{field}")}
    return found


def tell_of_service(supplier: Supplier, *, before: str, served: bool, at: datetime) -> None:
    """Leaving is published, and coming back: from having cancelled, a pause, or being internal."""
    left = supplier.status == Status.CANCELLED != before
    back = supplier.in_service and not served
    if (left or back) and not db.in_history():
        events.publish(SupplierCancelled() if left else SupplierReturned(), supplier=supplier.pk, at=at)


AT_ONCE = 1000  # suppliers that change hands in one transaction


def hand_over_all(ids: Sequence[int], *, to: User | None, at: datetime) -> int:
    """The same for any number, a part at a time: what was not reached when it was cut off is as it was."""
    return sum(hand_over(ids[place : place + AT_ONCE], to=to, at=at) for place in range(0, len(ids), AT_ONCE))


@transaction.atomic
def hand_over(ids: Collection[int], *, to: User | None, at: datetime, whose: User | None = None) -> int:
    """These suppliers belong to this colleague, or nobody; says how many changed hands. With `whose`, only those still that colleague's."""
    said = {"owner_id": at.isoformat()}
    found = Supplier.objects.filter(pk__in=lock(ids))
    return (
        (found.filter(owner=whose) if whose else found)
        .exclude(owner=to)
        .update(
            owner=to,
            changed_at=at,
            said_at=Func(F("said_at"), Value(said, JSONField()), template="%(expressions)s", arg_joiner=" || ", output_field=JSONField()),
        )
    )


def business_values(traits: Mapping[str, Any]) -> dict[str, Any]:
    """Traits as fields of a supplier. An owner nobody here goes by is passed over."""
    values = {name: traits[name] for name in traits if name in BUSINESS or name == "custom"}
    if "owner" in values:
        owner = owner_named(values.pop("owner"))
        if owner is not None or not traits["owner"]:
            values["owner_id"] = owner
    return values


def owner_named(name: str) -> int | None:
    users = get_user_model().objects.filter(is_active=True, is_staff=True)
    found = users.filter(username__iexact=name).first() or users.filter(email__iexact=name).exclude(email="").first()
    return found.pk if found else None


def update_contact(supplier_id: int, person: str, traits: Mapping[str, Any], *, is_primary: bool, said_at: datetime) -> bool:
    """Sets personal traits of a person of a locked supplier, but for those said later than `said_at`; an erased one stays empty. Says whether anything changed."""
    values = {name: traits[name] for name in PERSONAL if name in traits}
    if not values or erased_among([person], kind=PERSON) or erased_among(filter(None, [values.get("email")]), kind=ADDRESS):
        return False
    contact = Contact.objects.filter(supplier_id=supplier_id, external_id=person).select_for_update(no_key=True).first()
    if contact is None:
        first = is_primary and not Contact.objects.filter(supplier_id=supplier_id, is_primary=True).exists()
        said = dict.fromkeys(values, said_at.isoformat())
        Contact.objects.create(supplier_id=supplier_id, external_id=person, is_primary=first, said_at=said, **values)
        return True
    values = {} if contact.erased_at else still_true(values, contact.said_at, said_at=said_at)
    changed = [name for name in values if getattr(contact, name) != values[name]]
    if changed:
        for name in changed:
            setattr(contact, name, values[name])
        contact.said_at |= dict.fromkeys(changed, said_at.isoformat())
        contact.save(update_fields=[*changed, "said_at"])
    return bool(changed)


def contact_of(supplier_id: int) -> Contact | None:
    """The person to speak to."""
    return Contact.objects.filter(supplier_id=supplier_id, erased_at=None).order_by("-is_primary", "pk").first()
