"""Design section 6, "Ingest, exactly": each sentence of it, through the API."""

import os
import signal
import threading
from datetime import UTC, datetime, timedelta

import pytest
import requests
import time_machine
from django.db.models import Sum

from success.models import Activity, Client, Contact, CustomField, DailyUse, EventName, EventUse, Facts, MessageKey, Supplier, TraitUse
from tests import callers
from tests.callers import Api
from tests.factories import SourceFactory, StaffFactory
from tests.server import running

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


def ago(**span) -> str:
    return (NOW - timedelta(**span)).isoformat()


def ahead(**span) -> str:
    return (NOW + timedelta(**span)).isoformat()


@pytest.fixture
def api(db):
    with time_machine.travel(NOW, tick=False):
        yield Api(callers.key("ingest", expires_at=None))


def batch(api, *items) -> dict:
    """Sends a batch; whatever becomes of its items, the answer is 200 and adds up."""
    answer = api.post("/v1/batch", {"batch": list(items)})
    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert set(told) == {"success", "accepted", "duplicates", "refused"}
    assert told["success"] is True
    assert told["accepted"] + told["duplicates"] + len(told["refused"]) == len(items)
    assert all(set(one) == {"index", "messageId", "errors"} and all(set(error) == {"pointer", "detail"} for error in one["errors"]) for one in told["refused"])
    return told


def track(**more) -> dict:
    return {"type": "track", "userId": "sarah", "event": "Signed In"} | more


def one() -> Activity:
    return Activity.objects.select_related("event").get()


# ---------------------------------------------------------------- what is refused, one by one

REFUSED = [
    ({"type": "alias", "userId": "sarah", "previousId": "x"}, "/type"),
    ({"type": "nothing", "userId": "sarah"}, "/type"),
    ({"userId": "sarah", "event": "e"}, "/type"),
    (track(userId=None, anonymousId="a1"), "/userId"),
    (track(userId="", anonymousId="a1"), "/userId"),
    (track(userId=None), "/userId"),
    (track(userId="x" * 129), "/userId"),
    (track(userId=5), "/userId"),
    (track(event=None), "/event"),
    (track(event=""), "/event"),
    (track(event="x" * 201), "/event"),
    (track(event=["x"]), "/event"),
    (track(messageId="x" * 256), "/messageId"),
    (track(messageId=7), "/messageId"),
    (track(timestamp="2026-11-01T10:00:00"), "/timestamp"),
    (track(timestamp="2026-11-01"), "/timestamp"),
    (track(timestamp="yesterday"), "/timestamp"),
    (track(timestamp=""), "/timestamp"),
    (track(timestamp=1730000000), "/timestamp"),
    (track(timestamp="1999-12-31T23:59:59.999999Z"), "/timestamp"),
    (track(timestamp="2000-01-01T00:59:59+01:00"), "/timestamp"),
    (track(timestamp="9999-12-31T23:59:59-10:00"), "/timestamp"),
    (track(properties=[1]), "/properties"),
    (track(context="x"), "/context"),
    (track(context={"groupId": 5}), "/context/groupId"),
    (track(context={"groupId": "x" * 129}), "/context/groupId"),
    (track(userId="a\0b"), "/userId"),
    (track(event="a\0b"), "/event"),
    (track(messageId="a\0b"), "/messageId"),
    (track(properties={"page": "a\0b"}), "/properties/page"),
    ({"type": "identify", "userId": "sarah", "traits": "x"}, "/traits"),
    ({"type": "identify", "userId": "sarah", "traits": {"status": "gone"}}, "/traits/status"),
    ({"type": "identify", "userId": "sarah", "traits": {"created_at": "2026-11-01"}}, "/traits/created_at"),
    ({"type": "identify", "userId": "sarah", "traits": {"last_sign_in_at": "soon"}}, "/traits/last_sign_in_at"),
    ({"type": "identify", "userId": "sarah", "traits": {"mrr": "12"}}, "/traits/mrr"),
    ({"type": "identify", "userId": "sarah", "traits": {"mrr": -1}}, "/traits/mrr"),
    ({"type": "identify", "userId": "sarah", "traits": {"currency": "EURO"}}, "/traits/currency"),
    ({"type": "identify", "userId": "sarah", "traits": {"internal": "yes"}}, "/traits/internal"),
    ({"type": "identify", "userId": "sarah", "traits": {"plan": "x" * 81}}, "/traits/plan"),
    ({"type": "identify", "userId": "sarah", "traits": {"email": "x" * 255}}, "/traits/email"),
    ({"type": "identify", "userId": "sarah", "traits": {"x" * 201: 1}}, "/traits"),
    ({"type": "group", "userId": "sarah"}, "/groupId"),
    ({"type": "group", "groupId": "x" * 129}, "/groupId"),
    ("text", ""),
    (5, ""),
    (None, ""),
    ([], ""),
]


@pytest.mark.parametrize(("item", "pointer"), REFUSED, ids=lambda value: str(value)[:60])
def test_a_refused_item_does_not_hold_back_the_others(api, item, pointer):
    told = batch(api, track(messageId="m1"), item, track(messageId="m2"))
    assert [(one["index"], [error["pointer"] for error in one["errors"]]) for one in told["refused"]] == [(1, [pointer])]
    assert told["accepted"] == 2
    assert Activity.objects.count() == 2


@pytest.mark.parametrize(("item", "pointer"), [case for case in REFUSED if case[1] not in ("", "/type")], ids=lambda value: str(value)[:60])
def test_a_single_route_says_422(api, item, pointer):
    answer = api.post(f"/v1/{item['type']}", item)
    assert (answer.status_code, [error["pointer"] for error in answer.json()["errors"]]) == (422, [pointer])
    assert not Activity.objects.exists() and not Supplier.objects.exists() and not MessageKey.objects.exists()


def test_all_refused_is_still_200_and_writes_nothing(api):
    told = batch(api, track(userId=None), track(event=""), {"type": "alias"})
    assert (told["accepted"], told["duplicates"], len(told["refused"])) == (0, 0, 3)
    assert not Supplier.objects.exists()
    assert batch(api)["accepted"] == 0


def test_the_refused_are_named_by_place_and_message_id(api):
    told = batch(api, track(), track(messageId="m2", timestamp="soon"))
    assert [(one["index"], one["messageId"]) for one in told["refused"]] == [(1, "m2")]


# ---------------------------------------------------------------- times


@pytest.mark.parametrize(
    ("sent", "stored", "clamped"),
    [
        (None, NOW, False),
        (ago(days=3), NOW - timedelta(days=3), False),
        ("2000-01-01T00:00:00Z", datetime(2000, 1, 1, tzinfo=UTC), False),
        ("2026-11-23T13:30:00+02:00", datetime(2026, 11, 23, 11, 30, tzinfo=UTC), False),
        ("2026-11-22T23:00:00.123456789Z", datetime(2026, 11, 22, 23, 0, 0, 123456, tzinfo=UTC), False),
        (ahead(minutes=5), NOW + timedelta(minutes=5), False),
        (ahead(minutes=5, microseconds=1), NOW, True),
        (ahead(days=400), NOW, True),
        ("9999-12-31T23:59:59Z", NOW, True),
    ],
)
def test_when_it_happened(api, sent, stored, clamped):
    batch(api, track(timestamp=sent) if sent else track())
    assert (one().occurred_at, one().clamped, one().received_at) == (stored, clamped, NOW)
    assert Facts.objects.get().last_sign_in_at == stored


# ---------------------------------------------------------------- once


def test_the_same_body_again_changes_nothing(api):
    items = [track(messageId=f"m{n}") for n in range(5)] + [{"type": "identify", "userId": "sarah", "messageId": "i", "traits": {"plan": "pro"}}]
    first, again = batch(api, *items), batch(api, *items)
    assert (first["accepted"], first["duplicates"]) == (6, 0)
    assert (again["accepted"], again["duplicates"]) == (0, 6)
    assert (Activity.objects.count(), EventUse.objects.get().n) == (5, 5)


def test_a_key_counts_within_its_source_whichever_key_sends_it(api):
    source = SourceFactory()
    with time_machine.travel(NOW):
        old, new, another = Api(callers.key(source=source)), Api(callers.key(source=source)), Api(callers.key())
    assert [batch(sender, track(messageId="m"))["accepted"] for sender in (old, new, another)] == [1, 0, 1]


def test_twice_in_one_batch_counts_once(api):
    told = batch(api, track(messageId="m"), track(messageId="m"), track(messageId="n"))
    assert (told["accepted"], told["duplicates"]) == (2, 1)
    assert api.post("/v1/track", track(messageId="m")).json() == {"success": True}
    assert EventUse.objects.get().n == 2


def test_without_a_message_id_each_is_its_own(api):
    assert batch(api, track(), track(), track(messageId=None), track(messageId=""))["accepted"] == 4
    assert Activity.objects.count() == 4


def test_what_was_refused_may_come_again_corrected(api):
    assert batch(api, track(messageId="m", timestamp="soon"))["accepted"] == 0
    assert batch(api, track(messageId="m"))["accepted"] == 1


# ---------------------------------------------------------------- the kinds


@pytest.mark.parametrize("kind", ["page", "screen"])
def test_a_page_is_page_viewed_with_its_name(api, kind):
    batch(api, {"type": kind, "userId": "sarah", "name": "/clients", "properties": {"page": "other", "url": "https://x.example/?a=b"}})
    assert (one().event.name, one().properties) == ("Page Viewed", {"page": "/clients"})
    assert api.post(f"/v1/{kind}", {"userId": "sarah"}).status_code == 200
    assert EventUse.objects.get(event__name="Page Viewed").n == 2


def test_a_group_is_the_supplier_and_a_user_the_person(api):
    batch(api, track(userId="ann", context={"groupId": "studio"}), track(userId="bob", groupId="studio"), track(userId="sarah"))
    found = Activity.objects.order_by("actor").values_list("supplier__external_id", "actor")
    assert sorted(found, key=str) == [("sarah", None), ("studio", "ann"), ("studio", "bob")]


def test_a_group_sets_the_traits_of_the_account(api):
    told = batch(api, {"type": "group", "groupId": "studio", "userId": "ann", "traits": {"plan": "pro", "status": "trial", "mrr": 49, "currency": "eur"}})
    assert told["accepted"] == 1
    assert list(Supplier.objects.values_list("external_id", "plan", "status", "mrr", "currency")) == [("studio", "pro", "trial", 49.0, "EUR")]
    assert api.post("/v1/group", {"groupId": "studio", "traits": {"plan": "basic"}}).status_code == 200
    assert Supplier.objects.get().plan == "basic"
    assert not Activity.objects.exists()


def test_a_person_in_a_group_has_a_name_and_the_account_the_business(api):
    traits = {"name": "Ann Lee", "email": "ann@example.com", "plan": "pro"}
    batch(api, {"type": "identify", "userId": "ann", "context": {"groupId": "studio"}, "traits": traits})
    assert list(Contact.objects.values_list("external_id", "name", "email", "is_primary")) == [("ann", "Ann Lee", "ann@example.com", False)]
    assert Supplier.objects.get().plan == ""


def test_a_client_that_was_active_is_known(api):
    active = track(event="Client Active", properties={"client_id": "c1"})
    batch(api, active | {"timestamp": ago(days=2)}, active | {"timestamp": ago(days=5)}, active | {"properties": {}})
    assert list(Client.objects.values_list("external_id", "last_activity_at")) == [("c1", NOW - timedelta(days=2))]


def test_an_event_nobody_declared_counts_under_its_own_name(api):
    batch(api, track(event="Petted the Cat"), track(event="petted the cat"))
    assert set(EventUse.objects.values_list("event__name", "n")) == {("Petted the Cat", 1), ("petted the cat", 1)}
    assert EventName.objects.get(name="Petted the Cat").meaning == "none"
    assert set(DailyUse.objects.values_list("day", "n")) == {(NOW.date(), 1)}


# ---------------------------------------------------------------- what is kept


def test_of_properties_only_what_the_catalogue_lists_and_nothing_personal(api):
    properties = {
        "client_id": "c" * 128, "count": 5, "page": "x" * 64,
        "email": "sarah@example.com", "note": "hello", "phone": "+44 1", "nested": {"page": "x"},
    }  # fmt: skip
    context = {"ip": "203.0.113.9", "app": {"version": "2.1", "name": "x"}, "library": {"name": "lib", "version": "1"}, "traits": {"email": "e@e.e"}}
    batch(api, track(properties=properties, context=context))
    assert one().properties == {"client_id": "c" * 128, "count": 5, "page": "x" * 64, "release": "2.1", "library": "lib"}


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("x" * 64, True), ("x" * 65, False), ("sarah@example.com", False), ("@", False), (5, True), (1.5, True), (True, True), (None, False),
        ([1], False), ({"a": 1}, False), (2**63, False), (1e300, False), (-(2**62), True), ("", True),
    ],
)  # fmt: skip
def test_which_values_are_harmless(api, value, kept):
    batch(api, track(properties={"page": value}))
    assert one().properties == ({"page": value} if kept else None)


def test_a_catalogue_that_lists_more_keeps_more(api):
    EventName.objects.filter(name="Signed In").update(kept=["browser"])
    batch(api, track(properties={"browser": "Firefox", "page": "/x"}))
    assert one().properties == {"browser": "Firefox"}


def test_fields_we_do_not_know_are_passed_over(api):
    assert batch(api, track(integrations={"All": True}, sentAt="x", channel=5, nested={"deep": [1]}))["accepted"] == 1
    answer = api.post("/v1/batch", {"batch": [track()], "sentAt": "2026-11-01", "writeKey": "x", "more": [1]})
    assert answer.json()["accepted"] == 1
    assert api.post("/v1/track", {"userId": "sarah", "event": "e", "more": {"x": 1}}).status_code == 200


# ---------------------------------------------------------------- traits


def identify(api, **traits) -> dict:
    return batch(api, {"type": "identify", "userId": "sarah", "traits": traits})


def test_traits_of_the_account_and_of_the_person_go_where_they_belong(api):
    manager = StaffFactory(username="maria")
    told = identify(
        api, email="sarah@example.com", name="Sarah Hughes", phone="+44 20", vertical="photographer", timezone="Europe/London", locale="en-GB",
        created_at=ago(days=14), plan="pro", status="trial", trial_ends_at=ahead(days=3), renews_at=ahead(days=30), mrr=49.5, currency="gbp",
        internal=False, owner="maria",
    )  # fmt: skip
    assert told["accepted"] == 1
    supplier = Supplier.objects.get()
    assert (supplier.vertical, supplier.plan, supplier.status, supplier.internal) == ("photographer", "pro", "trial", False)
    assert (supplier.mrr, supplier.currency, supplier.renews_at) == (49.5, "GBP", NOW + timedelta(days=30))
    assert (supplier.owner, supplier.created_at, supplier.trial_ends_at) == (manager, NOW - timedelta(days=14), NOW + timedelta(days=3))
    contact = Contact.objects.get()
    assert (contact.name, contact.email, contact.phone) == ("Sarah Hughes", "sarah@example.com", "+44 20")
    assert (contact.timezone, contact.locale, contact.is_primary) == ("Europe/London", "en-GB", True)
    assert Facts.objects.get().known_since == NOW - timedelta(days=14)


def test_null_empties_a_trait_where_that_means_something(api):
    identify(api, plan="pro", mrr=49, renews_at=ahead(days=30), status="trial", currency="EUR", internal=True, created_at=ago(days=1), name="Sarah", owner=None)
    assert identify(api, plan=None, mrr=None, renews_at=None, status=None, currency=None, internal=None, created_at=None, name=None)["accepted"] == 1
    supplier = Supplier.objects.get()
    assert (supplier.plan, supplier.mrr, supplier.renews_at) == ("", None, None)
    assert (supplier.status, supplier.currency, supplier.internal, supplier.created_at) == ("trial", "EUR", True, NOW - timedelta(days=1))
    assert Contact.objects.get().name == ""


def test_an_owner_nobody_goes_by_is_passed_over(api):
    StaffFactory(username="maria", email="Maria@Example.org")
    identify(api, owner="MARIA@example.org")
    identify(api, owner="nobody", plan="pro")
    assert (Supplier.objects.get().owner.username, Supplier.objects.get().plan) == ("maria", "pro")
    identify(api, owner=None)
    assert Supplier.objects.get().owner is None


def test_a_last_sign_in_may_be_told_as_a_trait(api):
    identify(api, last_sign_in_at=ago(days=3))
    assert Facts.objects.get().last_sign_in_at == NOW - timedelta(days=3)
    batch(api, track(timestamp=ago(days=5)))
    assert Facts.objects.get().last_sign_in_at == NOW - timedelta(days=3)
    batch(api, track(timestamp=ago(days=1)))
    assert Facts.objects.get().last_sign_in_at == NOW - timedelta(days=1)
    identify(api, last_sign_in_at=ahead(days=1))
    assert Facts.objects.get().last_sign_in_at == NOW


def test_undeclared_traits_are_only_counted_and_declared_ones_are_kept(api):
    CustomField.objects.create(name="studio_size")
    identify(api, studio_size=4, hobby="cats", **{"sarah@example.com": 1})
    identify(api, studio_size=5, hobby="dogs")
    assert Supplier.objects.get().custom == {"studio_size": 5}
    assert list(TraitUse.objects.values("name").annotate(total=Sum("n")).values_list("name", "total")) == [("hobby", 2)]
    assert "cats" not in str(list(Supplier.objects.values())) + str(list(Contact.objects.values()))
    assert identify(api, studio_size={"a": 1})["refused"][0]["errors"][0]["pointer"] == "/traits/studio_size"


def test_traits_apply_in_the_order_of_their_own_times(api):
    later = {"type": "identify", "userId": "sarah", "timestamp": ago(hours=1), "traits": {"plan": "new"}}
    batch(api, later, later | {"timestamp": ago(hours=2), "traits": {"plan": "old"}})
    assert Supplier.objects.get().plan == "new"


def test_leaving_and_coming_back(api):
    identify(api, status="cancelled", cancelled_at=ago(days=1))
    assert (Supplier.objects.get().cancelled_at, Facts.objects.get().in_service) == (NOW - timedelta(days=1), False)
    identify(api, status="active")
    assert Facts.objects.get().in_service


# ---------------------------------------------------------------- killed between request and answer


def test_killed_between_request_and_answer_sent_again_counted_once(key):
    """Whatever was answered 2xx is there; all of it sent again is there once."""
    bodies = [{"batch": [track(messageId=f"{n}-{m}", userId=f"s{n % 7}") for m in range(20)]} for n in range(60)]
    answered: list[int] = []

    def send(base: str, mine: list[int]) -> None:
        with requests.Session() as session:
            for n in mine:
                try:
                    if session.post(f"{base}/v1/batch", json=bodies[n], auth=(key, ""), timeout=10).status_code == 200:
                        answered.append(n)
                        if len(answered) >= 15:
                            enough.set()
                except requests.RequestException:
                    return

    enough = threading.Event()
    with running() as (base, process):
        threads = [threading.Thread(target=send, args=(base, list(range(first, 60, 4)))) for first in range(4)]
        for thread in threads:
            thread.start()
        assert enough.wait(30)
        os.killpg(process.pid, signal.SIGKILL)  # granian and its workers: a session of their own
        for thread in threads:
            thread.join()
    assert 15 <= len(answered) < 60
    stored = {(supplier, n) for supplier, n in EventUse.objects.values_list("supplier__external_id", "n")}
    assert sum(n for _, n in stored) >= 20 * len(answered)
    with running() as (base, _):
        told = [requests.post(f"{base}/v1/batch", json=body, auth=(key, ""), timeout=10).json() for body in bodies]
    assert all(told[n]["duplicates"] == 20 for n in answered)
    assert Activity.objects.count() == MessageKey.objects.count() == sum(EventUse.objects.values_list("n", flat=True)) == 1200
