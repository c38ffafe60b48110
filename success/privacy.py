"""What is held about a supplier, what export gives of it, and what erasure does to it.

The map names every model with a path to a supplier; an app adds its own in its `privacy.py`. A test walks all models and fails where one is missing.
Behaviour and persons are deleted or emptied; rows of ledgers stay, pseudonymous: they hold a key of ours and no word of hers.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.fields import RangeField
from django.db import models, transaction
from django.db.models import F, Q, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast, Concat

from success import arrivals, db, history, reconcile, saved_views, suppliers
from success.imports import uploads
from success.messages import PERSONAL
from success.models import (
    Activity,
    Client,
    ClientDay,
    Contact,
    DailyUse,
    DeadLetter,
    Delivery,
    Erased,
    Event,
    EventUse,
    Facts,
    Note,
    Notification,
    Preferences,
    Push,
    Send,
    Slot,
    Snooze,
    StatusChange,
    Supplier,
    Task,
    Touchpoint,
)
from success.suppliers import SupplierErased

DELETED, EMPTIED, KEPT = "deleted", "emptied", "kept"


class UnknownSupplier(Exception):
    """There is no supplier of this id."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose data: the key, when it is asked for, and the opaque id that takes the place of hers."""

    supplier: int
    at: datetime
    opaque: str


@dataclass(frozen=True, slots=True)
class Held:
    """One model of the map: what its rows say, in words, and what erasure does to them. `empty` does it where rows are emptied."""

    model: type[models.Model]
    what: str
    on_erasure: str
    path: str = "supplier"
    empty: Callable[[Subject], int] | None = None

    def rows(self, supplier: int) -> models.QuerySet[Any]:
        return self.model._default_manager.filter(**{self.path: supplier})

    def erase(self, subject: Subject) -> int:
        """Does what erasure does to this model, and says to how many rows."""
        if self.empty:
            return self.empty(subject)
        found = self.rows(subject.supplier)
        return found._raw_delete(found.db) if self.on_erasure == DELETED else 0


MAP: dict[type[models.Model], Held] = {}


def register(*held: Held) -> None:
    """Adds models to the map, in the order of locks of all writers: so they are erased."""
    MAP.update({one.model: one for one in held})


# ---------------------------------------------------------------- what erasure does to a row that stays


def empty_contacts(subject: Subject) -> int:
    """Contacts stay as rows without a word of the person's."""
    found = Contact.objects.filter(supplier=subject.supplier).order_by("pk")
    for contact in found:
        empty = dict.fromkeys(PERSONAL, "")
        values = {**empty, "said_at": {}, "external_id": f"{subject.opaque}-{contact.pk}", "erased_at": subject.at}
        Contact.objects.filter(pk=contact.pk).update(**values)
    return len(found)


def empty_supplier(subject: Subject) -> int:
    """The account goes by an opaque id, belongs to nobody's list (internal), and says nothing else."""
    # Facts before: who scores holds them, and refers to the supplier by its key, which changes here.
    reconcile.lock([subject.supplier])
    values = {
        "external_id": subject.opaque,
        "internal": True,
        "custom": {},
        "said_at": {},
        "owner": None,
        "plan": "",
        "vertical": "",
        "mrr": None,
        "currency": "",
        "changed_at": subject.at,
    }
    return Supplier.objects.filter(pk=subject.supplier).update(**values)


def empty_deliveries(subject: Subject) -> int:
    """What went wrong is no longer said: it may quote what is gone."""
    return Delivery.objects.filter(supplier=subject.supplier).update(error="")


def empty_events(subject: Subject) -> int:
    """Keys of messages go: whoever asked for one chose it, and may have named her."""
    found = Event.objects.filter(supplier=subject.supplier, payload__has_key="key")
    return found.update(payload=RawSQL('payload || \'{"key": "erased"}\'', []))


def empty_sends(subject: Subject) -> int:
    """What was written to her is gone; that it was sent, when and by what template, stays."""
    gone = {
        "context": {},
        "subject": "",
        "text": "",
        "button": "",
        "link": "",
        "error": "",
        "key": Concat(Value(f"{subject.opaque}:"), Cast("pk", models.TextField())),
    }
    return Send.objects.filter(supplier=subject.supplier).update(**gone, cause="", overrule="", message_id="")


def empty_facts(subject: Subject) -> int:
    """The facts are those of a supplier that never did anything."""
    return reconcile.rederive([subject.supplier], at=subject.at, clients=False)


register(
    Held(Activity, "what was done, message by message", DELETED),
    Held(DailyUse, "what was done, counted by day", DELETED),
    Held(EventUse, "what was ever done, counted", DELETED),
    Held(Supplier, "the account", EMPTIED, path="pk", empty=empty_supplier),
    Held(ClientDay, "days on which clients were active", DELETED),
    Held(Client, "clients: their ids and when they were active", DELETED),
    Held(Facts, "the facts derived from all this", EMPTIED, empty=empty_facts),
    Held(Contact, "the people: names, addresses, numbers", EMPTIED, empty=empty_contacts),
    # Emptying the account and the people wrote to both of these.
    Held(history.past_of(Supplier), "what the account was before each change", DELETED, path="pgh_obj"),
    Held(history.past_of(Contact), "when the people's names, addresses and numbers changed", DELETED, path="pgh_obj__supplier"),
    Held(Note, "what our own people wrote down", DELETED),
    Held(Touchpoint, "when one of us was in touch, and how it went", DELETED),
    Held(history.past_of(Task), "what our own people planned before they changed it", DELETED, path="pgh_obj__supplier"),
    Held(Task, "what our own people planned", DELETED),
    Held(Snooze, "until when she was left alone, and why", DELETED),
    Held(Notification, "what stood in her inbox", DELETED),
    Held(Push, "what was said to her open pages", DELETED),
    Held(Send, "what was sent to her, by which channel, and what came of it", EMPTIED, empty=empty_sends),
    Held(Slot, "until when she gets no second of one kind", DELETED),
    Held(history.past_of(Preferences), "what she wanted to be told before she changed it", DELETED, path="pgh_obj"),
    Held(Preferences, "what she wants to be told, how and when", DELETED),
    Held(StatusChange, "when the account came and went", KEPT),
    Held(Event, "what was published to others: ids and facts", EMPTIED, empty=empty_events),
    Held(Delivery, "to whom it was delivered, and when", EMPTIED, empty=empty_deliveries),
)

# ---------------------------------------------------------------- export

READABLE = ("name", "external_id", "key", "username")


def columns(model: type[models.Model]) -> dict[str, Any]:
    """All columns, a key of another row as what that row is called."""
    found: dict[str, Any] = {}
    for field in model._meta.concrete_fields:
        if field.get_internal_type() == "CompositePrimaryKey" or field.related_model is Supplier:
            continue
        known = {one.name for one in field.related_model._meta.concrete_fields} if field.related_model else set()
        called = next((name for name in READABLE if name in known), None)
        value: Any = F(f"{field.name}__{called}") if called else F(field.attname)
        found[f"_{field.name}"] = Cast(value, models.TextField()) if isinstance(field, RangeField) else value
    return found


def export(external_id: str) -> Iterator[tuple[str, str, Iterable[dict[str, Any]]]]:
    """All that is held about a supplier: for each model of the map its label, what it is, and its rows.

    Raises:
        UnknownSupplier: there is none.
    """
    supplier = key_of(external_id)
    for held in MAP.values():
        rows = held.rows(supplier).values(**columns(held.model)).order_by("pk").iterator(chunk_size=2000)
        yield held.model._meta.label, held.what, ({name[1:]: value for name, value in row.items()} for row in rows)


def key_of(external_id: str) -> int:
    if found := suppliers.ids_of([external_id]):
        return found[external_id]
    if suppliers.erased_among([external_id]):
        raise SupplierErased
    raise UnknownSupplier


# ---------------------------------------------------------------- erasure


def held_of(external_id: str) -> dict[Held, int]:
    """How many rows of each model are held about a supplier. Raises UnknownSupplier."""
    supplier = key_of(external_id)
    return {held: held.rows(supplier).count() for held in MAP.values()}


@transaction.atomic
def erase(external_id: str, *, at: datetime, opaque: str) -> dict[Held, int]:
    """The supplier is forgotten: rows are deleted or emptied as the map says, and whoever sends its ids or addresses again is refused.

    Raises:
        UnknownSupplier: there is none.
        SupplierErased: it is forgotten already.
        OperationalError: a writer took too long; nothing was erased.
    """
    db.without_writers(patience="2s")
    subject = Subject(key_of(external_id), at, opaque)
    suppliers.lock([subject.supplier])
    remember(external_id, subject)
    forget_letters(subject)
    forget_audit(subject)
    transaction.on_commit(lambda: arrivals.forget(subject.supplier))
    people = Contact.objects.filter(supplier=subject.supplier)
    addresses = [external_id, *people.values_list("email", flat=True)]
    uploads.forget_supplier(addresses)
    saved_views.forget_supplier([*addresses, *people.values_list("name", flat=True), *people.values_list("phone", flat=True)])
    return {held: held.erase(subject) for held in MAP.values()}


def remember(external_id: str, subject: Subject) -> None:
    """Keyed hashes of the ids and addresses that may not come back."""
    contacts = Contact.objects.filter(supplier=subject.supplier).values_list("external_id", "email")
    forgotten = {(suppliers.SUPPLIER, external_id)}
    for person, address in contacts:
        forgotten |= {(suppliers.PERSON, person), *([(suppliers.ADDRESS, address)] if address else [])}
    Erased.objects.bulk_create(
        [Erased(digest=suppliers.digest_of(value, kind=kind), erased_at=subject.at) for kind, value in sorted(forgotten)], ignore_conflicts=True
    )


def forget_letters(subject: Subject) -> int:
    """Dead letters no longer quote what the database said of her rows."""
    messages = Activity.objects.filter(supplier=subject.supplier).values("message")
    return DeadLetter.objects.filter(messages__overlap=list(messages.values_list("message", flat=True))).update(error="(erased)")


def forget_audit(subject: Subject) -> int:
    """The admin's own log keeps who changed what and when, and no longer what it was called."""
    contacts = [str(pk) for pk in Contact.objects.filter(supplier=subject.supplier).values_list("pk", flat=True)]
    kinds = ContentType.objects.get_for_models(Supplier, Contact)
    about = Q(content_type=kinds[Supplier], object_id=str(subject.supplier)) | Q(content_type=kinds[Contact], object_id__in=contacts)
    return LogEntry.objects.filter(about).update(object_repr=subject.opaque, change_message="")
