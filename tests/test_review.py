"""Faults that a second pair of eyes found, so that they do not come back."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from django.core.management import call_command

from health import assessments
from success import activity, catalogue, clients, letters, messages, privacy, suppliers
from success.db import execute, history, in_history
from success.models import Activity, CustomField, DeadLetter, Event, EventName, EventUse, Facts, StatusChange, Supplier
from tests.factories import ContactFactory, SourceFactory, SupplierFactory

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


def identify(supplier, at=AT, message_id=None, made_at=None, **traits):
    body = {"type": "identify", "userId": supplier, "messageId": message_id, "timestamp": (made_at or at).isoformat(), "traits": traits}
    return msgspec.json.encode(body)


def take(*raw, at=AT):
    return activity.take(raw, kind=None, source=SourceFactory(), received_at=at)


def test_a_text_that_never_closes_is_read_once():
    """Half a megabyte of it: read anew from each quote it would take ten minutes."""
    assert not messages.deeper_than(b'"' + b'\\"' * 260_000, 32)
    assert messages.deeper_than(b"[{" * 30, 32)


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_alternating_levels_count_each(opening, closing):
    body = (b"[" + opening) * 17 + b"1" + (closing + b"]") * 17
    assert messages.deeper_than(body, 33)
    assert not messages.deeper_than(body, 34)


def test_of_a_message_twice_in_a_batch_the_first_counts(db):
    receipt = take(identify("a", message_id="m", plan="one"), identify("a", message_id="m", plan="two", status="cancelled"))
    assert (receipt.accepted, receipt.duplicates) == (1, 1)
    assert (Supplier.objects.get().plan, Supplier.objects.get().status) == ("one", "active")


def test_a_reported_sign_in_orders_no_traits_and_is_not_when_she_was_first_seen(db):
    late = identify("a", status="cancelled", last_sign_in_at=(AT - timedelta(days=5)).isoformat())
    take(late, identify("a", made_at=AT - timedelta(minutes=5), status="active"))
    supplier = Supplier.objects.get()
    assert supplier.status == "cancelled"
    assert supplier.first_seen_at == AT - timedelta(minutes=5)
    assert Facts.objects.get().last_sign_in_at == AT - timedelta(days=5)


def test_no_last_sign_in_is_said_by_null(db):
    assert take(identify("a", plan="pro", last_sign_in_at=None)).accepted == 1
    assert Supplier.objects.get().plan == "pro"


@pytest.mark.parametrize("away", [{"status": "paused"}, {"status": "cancelled"}, {"internal": True}])
def test_coming_back_is_an_event(db, away):
    take(identify("a", **away))
    take(identify("a", status="active", internal=False), at=AT + timedelta(hours=1))
    assert list(Event.objects.filter(name="success.supplier_returned").values_list("supplier__external_id", flat=True)) == ["a"]


def test_a_second_leaving_follows_the_return(db):
    first = (AT - timedelta(days=15)).isoformat()
    for day, status in ((0, "cancelled"), (5, "active"), (10, "cancelled")):
        take(identify("a", status=status, **({"cancelled_at": first} if status == "cancelled" else {})), at=AT + timedelta(days=day))
    assert StatusChange.objects.order_by("-at", "-pk").first().status == "cancelled"


def test_an_erased_person_keeps_nobody_else_out(committed):
    ContactFactory(supplier=SupplierFactory(external_id="acme"), external_id="7", email="seven@example.com")
    privacy.erase("acme", at=AT, opaque="forgotten-1")
    assert take(identify("7", plan="pro")).accepted == 1
    assert suppliers.erased_among(["acme"]) == {"acme"}
    assert suppliers.erased_among(["7"], kind=suppliers.PERSON) == {"7"}


def test_archiving_old_clients_is_news(db):
    supplier = SupplierFactory()
    clients.put(supplier_id=supplier.pk, clients={f"c{n}": AT - timedelta(days=60) for n in range(9)}, at=AT)
    assessments.assess_touched(at=AT)
    clients.archive(supplier_id=supplier.pk, client="c1", at=AT)
    assert not Facts.objects.get(supplier=supplier).dirty_quiet


def test_a_long_run_does_not_write_over_a_later_score(db):
    take(msgspec.json.encode({"type": "track", "userId": "a", "event": "Signed In", "timestamp": (AT - timedelta(days=3)).isoformat()}))
    assessments.assess_touched(at=AT + timedelta(seconds=40))
    assert assessments.assess(at=AT - timedelta(minutes=1)).changed == 0


def supplier_of(*told):
    """Anna after identify messages, each (made hours before AT, traits), taken in one after the other."""
    for n, (hours, traits) in enumerate(told):
        take(identify("anna", message_id=f"m{n}", made_at=AT - timedelta(hours=hours), **traits))
    return Supplier.objects.get(external_id="anna")


def test_a_late_identify_changes_only_what_nothing_was_said_of_since(db):
    CustomField.objects.create(name="seats")
    catalogue.forget()
    anna = supplier_of(
        (1, {"plan": "pro", "email": "new@example.com", "seats": 2}), (9, {"plan": "basic", "email": "old@example.com", "seats": 1, "name": "Anna"})
    )
    contact = anna.contacts.get()
    assert (anna.plan, anna.custom, contact.email, contact.name) == ("pro", {"seats": 2}, "new@example.com", "Anna")


def test_a_late_identify_brings_nobody_back(db):
    anna = supplier_of((9, {"status": "active"}), (1, {"status": "cancelled"}), (2, {"status": "active"}))
    assert anna.status == "cancelled"
    assert list(Event.objects.values_list("name", flat=True)) == ["success.supplier_cancelled"]


def test_a_leaving_told_a_day_late_is_dated_then_and_silent(db):
    anna = supplier_of((25, {"status": "cancelled"}))
    assert anna.cancelled_at == AT - timedelta(hours=25)
    assert not Event.objects.exists()


def test_suppliers_first_heard_of_in_history_are_history(db):
    take(identify("anna", made_at=AT - timedelta(days=90), plan="pro"))
    assert Facts.objects.get().dirty_quiet


def test_history_within_history_ends_with_the_outer(db):
    with history():
        with history():
            pass
        assert in_history()
    assert not in_history()


def track(event, supplier="anna", **more):
    return msgspec.json.encode({"type": "track", "userId": supplier, "event": event, "timestamp": AT.isoformat(), **more})


def test_an_address_in_the_name_of_an_event_is_not_kept(db):
    take(track("Invited sarah@example.com"), track("Invited tom@example.com"), track("Invited"))
    assert sorted(EventUse.objects.values_list("event__name", "n")) == [("Invited", 1), ("Invited [address]", 2)]
    assert not EventName.objects.filter(name__contains="@example").exists()


def test_a_dead_letter_quotes_no_value(db):
    execute("create or replace function success_broken() returns trigger language plpgsql as $$ begin raise exception 'not \"Sarah Lund\"'; end $$")
    execute("create trigger broken before insert on success_dailyuse for each row execute function success_broken()")
    take(track("Form Started"))
    assert DeadLetter.objects.get().error == 'not "[value]"'
    letters.sweep(at=AT)
    assert "Sarah" not in DeadLetter.objects.get().error


@pytest.mark.parametrize(
    "message",
    [{"userId": "me"}, {"userId": "anna", "context": {"groupId": "me"}}, {"type": "group", "groupId": "me", "userId": "anna"}],
    ids=["supplier", "in its context", "group"],
)
def test_the_word_me_is_nobodys_id(db, message):
    receipt = take(msgspec.json.encode({"type": "track", "event": "Signed In", **message}))
    assert receipt.accepted == 0 and "whoever asks" in receipt.refused[0].errors[0]["detail"]
    assert not Supplier.objects.exists()


def test_an_erased_person_is_no_actor_of_an_import(committed, tmp_path):
    acme = SupplierFactory(external_id="acme")
    ContactFactory(supplier=acme, external_id="acme")
    ContactFactory(supplier=acme, external_id="pam", is_primary=False)
    privacy.erase("acme", at=AT, opaque="forgotten-1")
    file = tmp_path / "history.csv"
    file.write_text("message_id,user_id,group_id,event,timestamp\n1,pam,other,Signed In,2026-11-01T10:00:00Z\n2,tim,other,Signed In,2026-11-01T11:00:00Z\n")
    call_command("import_activity", str(file), source="history", group_id="group_id")
    assert list(Activity.objects.order_by("occurred_at").values_list("actor", flat=True)) == [None, "tim"]


@pytest.mark.parametrize(("sent", "kept_as"), [("@home", "@home"), ("Met @ noon", "Met @ noon"), ("a@b " * 50, ("[address] " * 50)[:200])])
def test_any_name_with_an_at_sign_is_counted(db, sent, kept_as):
    assert [take(track(sent)).accepted for _ in range(2)] == [1, 1]
    assert list(EventUse.objects.values_list("event__name", "n")) == [(kept_as, 2)]
