"""Playbooks: who is reached and who is not, with the reason; the steps, the goal, and what a person may overrule."""

from collections import Counter
from datetime import timedelta
from threading import Thread

import msgspec
import pytest
from django.contrib.auth.models import Group
from django.core import signing
from django.db import connection, transaction
from django.urls import reverse
from rest_framework.test import APIClient

from health import assessments
from health.events import RiskChanged
from interventions import calls, engine, personalization, plans, playbooks
from interventions.models import Decision, Ended, Intervention, Playbook, Step
from success import activity, clients, clock, due, events, keys, suppliers
from success.models import Colleague, Event, Task
from tests.factories import ContactFactory, SourceFactory, StaffFactory, SupplierFactory

NOW = clock.now()
DAY = timedelta(days=1)


@pytest.fixture
def maya(db):
    maya = StaffFactory(username="maya", first_name="Maya", last_name="Lindqvist")
    maya.groups.add(Group.objects.get(name="success manager"))
    Colleague.objects.create(user=maya, booking_url="https://cal.example.com/maya")
    return maya


@pytest.fixture
def playbook(db):
    """The built-in one, on since a week ago."""
    found = Playbook.objects.get(key="first_weeks_quiet")
    playbooks.switch(found, on=True, at=NOW - 7 * DAY)
    found.refresh_from_db()
    return found


def quiet(owner, name="Sarah Lund", *, known=14, quiet=10, n_clients=5, **about):
    """Somebody who signed up so many days ago, has so many clients and one form, and did nothing since; scored as one came to know her in silence."""
    one = SupplierFactory(owner=owner, created_at=NOW - known * DAY, **about)
    ContactFactory(supplier=one, name=name)
    at = NOW - quiet * DAY
    raw = [
        {"type": "track", "userId": one.external_id, "event": event, "timestamp": at.isoformat()} for event in ("Signed In", "Clients Imported", "Form Created")
    ]
    activity.take([msgspec.json.encode(message) for message in raw], kind=None, source=SourceFactory(), received_at=at)
    clients.put(supplier_id=one.pk, clients={f"{one.external_id}-{n}": None for n in range(n_clients)}, at=at)
    assessments.assess(at=NOW, only=[one.pk])
    return one


def work(at=NOW):
    """All that is due is done, as workers do: what one step makes due, too."""
    done = True
    while done:
        at += timedelta(seconds=5)
        done = sum((due.run(kind, at=at) for kind in due.registered().values()), start=Counter())


def outcomes(supplier):
    return [(one.outcome, one.gate) for one in Decision.objects.filter(supplier=supplier).order_by("pk")]


# ---------------------------------------------------------------- plans


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([], "1 to 12 steps"),
        ([{"do": "sing"}], "does one of"),
        ([{"do": "message"}], "needs a template"),
        ([{"do": "task", "title": " "}], "needs a title"),
        ([{"do": "task", "title": "Call", "after_days": 91}], "whole number from 0 to 90"),
        ([{"do": "task", "title": "Call", "after_days": True}], "whole number"),
        ([{"do": "task", "title": "Call", "template": "x"}], "knows no “template”"),
        ("steps", "1 to 12 steps"),
    ],
)
def test_a_plan_that_cannot_be_read_says_what_to_do(steps, said):
    with pytest.raises(plans.Invalid, match=said):
        plans.read(steps)


def test_the_built_in_playbook_is_off_until_somebody_switches_it_on(maya):
    found = Playbook.objects.get(key="first_weeks_quiet")
    assert not found.is_on
    sarah = quiet(maya)
    assert playbooks.sweep(at=NOW) == {}
    assert playbooks.reach(found, at=NOW).suppliers == [sarah.pk]
    assert not Intervention.objects.exists()


def test_who_sleeps_now_is_counted_among_those_it_would_reach_today_but_begun_with_in_the_morning(maya, playbook, settings):
    sarah = quiet(maya)
    settings.QUIET_HOURS = "00:00-23:59"
    assert playbooks.reach(playbook, at=NOW).suppliers == [sarah.pk]
    assert playbooks.sweep(at=NOW) == {"left_out": 1} and outcomes(sarah) == [("deferred", "quiet")]
    assert Decision.objects.get().next_possible_at > NOW
    settings.QUIET_HOURS = "00:00-00:00"
    assert playbooks.sweep(at=NOW + timedelta(minutes=1)) == {"started": 1}


# ---------------------------------------------------------------- who is reached


def test_whoever_came_to_be_at_risk_in_silence_is_found_by_the_sweep(maya, playbook, sink):
    sarah = quiet(maya)
    assert playbooks.sweep(at=NOW) == {"started": 1}
    assert playbooks.sweep(at=NOW) == {}
    work()
    [letter] = sink.letters
    assert letter["To"] == sarah.contacts.get().email
    assert outcomes(sarah) == [("sent", "")]
    assert Decision.objects.get().health["score"] is not None


def test_a_level_that_falls_reaches_her_at_once(maya, playbook, sink):
    sarah = quiet(maya, quiet=5)
    SupplierFactory()
    assert playbooks.sweep(at=NOW - DAY) == {}
    with transaction.atomic():
        events.publish(RiskChanged("critical", "at_risk", 30.0, "ws142"), supplier=sarah.pk, at=NOW)
    work()
    assert len(sink.letters) == 1 and outcomes(sarah) == [("sent", "")]
    assert Event.objects.filter(name="interventions.started").count() == 1


@pytest.mark.parametrize(
    ("about", "gate"),
    [({"name": ""}, "data"), ({"owner": None}, "data"), ({"email": ""}, "no_address")],
)
def test_what_is_not_known_is_not_sent_and_the_ledger_says_so(maya, playbook, sink, about, gate):
    sarah = quiet(about.get("owner", maya), name=about.get("name", "Sarah Lund"))
    if "email" in about:
        sarah.contacts.update(email="")
    playbooks.sweep(at=NOW)
    playbooks.sweep(at=NOW + timedelta(minutes=1))
    work()
    assert outcomes(sarah) == [("skipped", gate)] and not sink.letters and not Intervention.objects.exists()


@pytest.mark.parametrize("about", [{"known": 40}, {"quiet": 3}, {"status": "paused"}, {"internal": True}])
def test_who_does_not_qualify_stands_in_no_ledger(maya, playbook, about):
    quiet(maya, **about)
    assert playbooks.sweep(at=NOW) == {} and not Decision.objects.exists()


def test_on_its_first_day_it_reaches_only_so_many_and_tells_who_waits(maya, playbook, sink):
    Playbook.objects.update(switched_on_at=NOW, first_day=3)
    everybody = [quiet(maya, name=f"Sarah {n}") for n in range(5)]
    assert playbooks.sweep(at=NOW) == {"started": 3, "left_out": 2}
    assert playbooks.sweep(at=NOW + timedelta(hours=1)) == {"left_out": 2}
    work()
    assert len(sink.letters) == 3
    assert sorted(outcomes(one)[0] for one in everybody) == [("deferred", "first_day")] * 2 + [("sent", "")] * 3
    assert Decision.objects.filter(gate="first_day").first().next_possible_at == NOW + DAY
    assert playbooks.sweep(at=NOW + DAY)["started"] == 2


def test_sixteen_at_once_begin_it_once(committed, sink):
    maya = StaffFactory(first_name="Maya")
    found = Playbook.objects.get(key="first_weeks_quiet")
    playbooks.switch(found, on=True, at=NOW - 7 * DAY)
    sarah = quiet(maya)

    def consider():
        engine.consider(found.pk, [sarah.pk], at=NOW)
        connection.close()

    threads = [Thread(target=consider) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Intervention.objects.count() == 1 and Step.objects.count() == 1


# ---------------------------------------------------------------- what comes after


def test_three_days_later_her_owner_has_a_task_unless_she_moved(maya, playbook, sink):
    stays, moves = quiet(maya, "Stays Away"), quiet(maya, "Moves On")
    playbooks.sweep(at=NOW)
    work()
    later = NOW + 3 * DAY + timedelta(minutes=1)
    raw = {"type": "track", "userId": moves.external_id, "event": "Page Viewed", "timestamp": (NOW + DAY).isoformat()}
    activity.take([msgspec.json.encode(raw)], kind=None, source=SourceFactory(), received_at=NOW + DAY)
    work(at=later - timedelta(minutes=5))
    assert not Task.objects.exists()
    work(at=later)
    task = Task.objects.get()
    assert (task.supplier, task.assignee, task.by) == (stays, maya, None)
    assert Intervention.objects.get(supplier=moves).ended == Ended.MOVED
    assert outcomes(stays) == [("sent", ""), ("sent", "")]


@pytest.mark.parametrize("way", ["clients", "features"])
def test_it_ends_when_she_gets_there(maya, playbook, sink, way):
    sarah = quiet(maya)
    playbooks.sweep(at=NOW)
    work()
    at = NOW + DAY
    if way == "clients":
        clients.put(supplier_id=sarah.pk, clients={f"new-{n}": None for n in range(20)}, at=at)
    else:
        raw = [{"type": "track", "userId": sarah.external_id, "event": "Journey Created", "timestamp": at.isoformat()}]
        activity.take([msgspec.json.encode(one) for one in raw], kind=None, source=SourceFactory(), received_at=at)
    assert playbooks.sweep(at=at)["ended"] == 1
    run = Intervention.objects.get()
    assert (run.ended, run.ended_at) == (Ended.GOAL, at)
    assert not Step.objects.filter(state="queued").exists()
    work(at=NOW + 4 * DAY)
    assert not Task.objects.exists()
    assert Event.objects.get(name="interventions.ended").payload["ended"] == "goal"


def test_who_leaves_is_written_to_no_more_and_one_of_us_can_stop_it(maya, playbook, sink):
    leaves, stopped = quiet(maya, "Leaves Us"), quiet(maya, "Stopped By Maya")
    playbooks.sweep(at=NOW)
    with transaction.atomic():
        suppliers.update(suppliers.lock([leaves.pk])[leaves.pk], {"status": "cancelled"}, at=NOW)
    assert engine.stop(Intervention.objects.get(supplier=stopped), at=NOW)
    work()
    assert not sink.letters
    assert {run.supplier_id: run.ended for run in Intervention.objects.all()} == {leaves.pk: "left", stopped.pk: "stopped"}


def test_it_begins_again_only_after_its_pause(maya, playbook, sink):
    sarah = quiet(maya, known=20)
    playbooks.sweep(at=NOW)
    engine.stop(Intervention.objects.get(), at=NOW)
    assert playbooks.sweep(at=NOW + DAY) == {"left_out": 1}
    [decision] = Decision.objects.filter(gate="again")
    assert decision.next_possible_at == NOW + playbook.again_after * DAY and decision.supplier == sarah


# ---------------------------------------------------------------- the letter


def test_the_letter_holds_her_own_numbers_and_one_thing_to_do(maya, playbook, sink):
    quiet(maya)
    playbooks.sweep(at=NOW)
    work()
    [letter] = sink.letters
    text = letter.get_body(("plain",)).get_content()
    words = text.split("\n-- \n")[0]
    first = next(line for line in words.splitlines() if line and not line.startswith("Hi"))
    assert "5" in first and "clients" in first
    assert len(words.split()) < 90 and "!" not in text and "we noticed" not in text.lower()
    assert "/book/" in text and "Maya" in text


def test_without_a_booking_page_the_sentence_is_left_out_not_the_letter(maya, playbook, sink):
    Colleague.objects.filter(user=maya).update(booking_url="")
    quiet(maya)
    playbooks.sweep(at=NOW)
    work()
    assert "/book/" not in sink.letters[0].get_body(("plain",)).get_content()


def test_numbers_are_gathered_for_many_at_once(maya, django_assert_num_queries):
    ids = [quiet(maya, name=f"Sarah {n}").pk for n in range(3)]
    with django_assert_num_queries(2):
        found = personalization.letters(ids, template="first_weeks_quiet", at=NOW)
    assert {letter.context["clients"] for letter in found.values()} == {5} and not any(letter.missing for letter in found.values())


def test_her_click_is_a_fact_once_and_a_scanner_changes_nothing(client, maya, playbook, sink):
    sarah = quiet(maya)
    playbooks.sweep(at=NOW)
    work()
    url = calls.link(supplier=sarah.pk, owner=maya.pk, message=Decision.objects.get().message).removeprefix("http://127.0.0.1:8000")
    assert client.head(url).status_code == 302 and not Event.objects.filter(name="interventions.booking_opened").exists()
    for _ in range(2):
        answer = client.get(url)
        assert (answer.status_code, answer["Location"]) == (302, "https://cal.example.com/maya")
    assert Event.objects.filter(name="interventions.booking_opened").count() == 1
    forged = signing.dumps([sarah.pk, maya.pk, "x"], salt="another")
    for token in (forged, "x", url.split("/")[-2][:-2]):
        assert client.get(reverse("booking", args=[token])).status_code == 404
    Colleague.objects.update(booking_url="")
    assert client.get(url).status_code == 404


# ---------------------------------------------------------------- asked for


def test_one_of_us_asks_through_the_same_gates_and_overrules_with_a_reason(client, maya, playbook, sink):
    busy = quiet(maya, quiet=2)
    client.force_login(maya)
    url = reverse("console:playbook_preview", args=[busy.pk, playbook.key])
    shown = client.get(url)
    assert "5 " in shown.text and "What the playbook asks of her does not hold now." in shown.text
    client.post(url, {"key": "a"})
    assert not Intervention.objects.exists() and outcomes(busy) == [("skipped", "condition")]
    for _ in range(2):
        client.post(url, {"key": "b", "reason": "We spoke, and she asked for it."})
    run = Intervention.objects.get()
    assert (run.asked_by, run.overruled) == (maya, "We spoke, and she asked for it.")
    work(at=clock.now())
    assert len(sink.letters) == 1


def test_a_refusal_to_be_written_to_is_overruled_by_nobody(client, maya, playbook, sink):
    sarah = quiet(maya)
    sarah.contacts.update(email="")
    run, asked = engine.ask(playbook, sarah.pk, key="x", at=NOW, by=maya, reason="Please.")
    assert run is None and [gate.key for gate in asked if not gate.holds] == ["no_address"]


# ---------------------------------------------------------------- the API


@pytest.fixture
def api(db):
    """Calls as the product's servers do, with a key."""
    _, token = keys.create(source=SourceFactory(), name="server", scopes=["read", "write"])
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


def test_a_key_asks_for_a_playbook_once_and_reads_what_came_of_it(api, maya, playbook, sink):
    sarah = quiet(maya)
    url = f"/api/v1/suppliers/{sarah.external_id}/interventions/"
    assert api.post(url, {"playbook": playbook.key}, format="json").status_code == 422
    assert api.post(url, {"playbook": "none"}, format="json", headers={"Idempotency-Key": "1"}).status_code == 422
    first, again = (api.post(url, {"playbook": playbook.key}, format="json", headers={"Idempotency-Key": "1"}) for _ in range(2))
    assert first.status_code == again.status_code == 201 and first.json()["intervention"] == again.json()["intervention"]
    assert Intervention.objects.count() == 1
    work(at=clock.now())
    [run] = api.get(url).json()["results"]
    assert (run["playbook"], run["state"], run["step"]) == (playbook.key, "running", 2) and run["next_at"] > NOW.isoformat()
    [decision] = api.get(f"/api/v1/suppliers/{sarah.external_id}/decisions/").json()["results"]
    assert decision.keys() == {"at", "playbook", "version", "outcome", "gate", "gates", "health", "next_possible_at", "message"}
    assert (decision["outcome"], decision["gate"], decision["playbook"]) == ("sent", None, playbook.key)
    other = api.post(url, {"playbook": playbook.key}, format="json", headers={"Idempotency-Key": "2"})
    assert other.status_code == 200 and other.json()["intervention"] is None
    assert {gate["key"] for gate in other.json()["gates"] if not gate["holds"]} >= {"running"}


def test_decisions_come_a_page_at_a_time(api, maya, playbook):
    sarah = quiet(maya)
    Decision.objects.bulk_create(Decision(supplier=sarah, playbook=playbook, version=1, at=NOW, outcome="skipped", gate="again", key=str(n)) for n in range(5))
    page = api.get(f"/api/v1/suppliers/{sarah.external_id}/decisions/?limit=3").json()
    rest = api.get(page["next"].replace("http://testserver", "")).json()
    assert len(page["results"]) == 3 and len(rest["results"]) == 2 and rest["next"] is None
