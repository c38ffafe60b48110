"""Playbooks when something goes wrong: one that is broken, a night between decision and sending, a supplier forgotten, sixteen at once."""

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Thread

import msgspec
import pytest
from django.db import connection, transaction
from django.urls import reverse

from health import assessments
from health.events import RiskChanged
from interventions import engine, gates, plans, playbooks
from interventions.models import Decision, Ended, Intervention, Playbook, Step
from success import activity, clients, clock, due, events, privacy
from success.models import Colleague, Event, MessageTemplate, Send, SendingStop, Slot, Task
from success.notifications import NotificationSent, letters, mail, preferences
from tests.factories import ContactFactory, SourceFactory, StaffFactory, SupplierFactory
from tests.test_playbooks import DAY, NOW, api, maya, outcomes, playbook, quiet, work  # noqa: F401  # fixtures

GONE = {"fact": "custom.gone", "is": "at_least", "value": 5}


def copy(of: Playbook, key: str, **values: object) -> Playbook:
    about = {name: getattr(of, name) for name in ("condition", "goal", "steps", "switched_on_at")} | values
    return Playbook.objects.create(key=key, name=key, changed_at=NOW, **about)


def active(supplier, at: datetime) -> None:
    raw = {"type": "track", "userId": supplier.external_id, "event": "Page Viewed", "timestamp": at.isoformat()}
    activity.take([msgspec.json.encode(raw)], kind=None, source=SourceFactory(), received_at=at)


def halt() -> SendingStop:
    return SendingStop.objects.create(at=NOW, reason="a look")


# ---------------------------------------------------------------- one that is broken


@pytest.mark.parametrize("broken", [{"condition": GONE}, {"goal": GONE}, {"condition": "x"}, {"steps": []}, {"steps": [{"do": "sing"}]}])
def test_a_broken_playbook_takes_nothing_else_down(client, api, maya, playbook, sink, broken):  # noqa: F811
    copy(playbook, "a_broken_one", **broken)
    bad = Playbook.objects.get(key="a_broken_one")
    sarah = quiet(maya, "Sarah Lund")
    assert playbooks.sweep(at=NOW) == {"started": 1}
    anna = quiet(maya, "Anna Berg")
    with transaction.atomic():
        events.publish(RiskChanged("critical", "at_risk", 30.0, "ws142"), supplier=anna.pk, at=NOW)
    work()
    assert len(sink.letters) == 2 and not bad.interventions.exists()
    client.force_login(maya)
    for url in (reverse("console:playbooks"), reverse("console:playbook", args=[bad.pk]), reverse("console:supplier", args=[sarah.pk])):
        assert client.get(url).status_code == 200
    assert "has to be mended" in client.get(reverse("console:playbook", args=[bad.pk])).text
    shown = client.get(reverse("console:playbook_preview", args=[sarah.pk, bad.key]))
    assert "has to be mended" in shown.text and "Send now" not in shown.text
    said = api.post(f"/api/v1/suppliers/{sarah.external_id}/interventions/", {"playbook": bad.key}, format="json", headers={"Idempotency-Key": "1"})
    assert said.status_code == 200 and said.json()["intervention"] is None and said.json()["gates"][0]["key"] == "broken"


def test_a_run_whose_playbook_breaks_waits_and_goes_on_once_it_is_mended(maya, playbook, sink):  # noqa: F811
    quiet(maya)
    playbooks.sweep(at=NOW)
    goal = playbook.goal
    Playbook.objects.update(goal=GONE)
    work()
    assert not sink.letters and Step.objects.get().state == "queued" and Step.objects.get().attempts == 0
    assert playbooks.sweep(at=NOW + timedelta(minutes=1)) == {}
    Playbook.objects.update(goal=goal)
    work(at=NOW + timedelta(hours=2))
    assert len(sink.letters) == 1


@pytest.mark.parametrize("words", [None, "{% if %}", "Hi {{ first_name"])
def test_a_template_that_is_gone_or_broken_is_told_before_anything_begins(client, maya, playbook, sink, words):  # noqa: F811
    found = MessageTemplate.objects.filter(key="first_weeks_quiet")
    found.update(text=words) if words else found.delete()
    sarah = quiet(maya)
    assert playbooks.sweep(at=NOW) == {"left_out": 1}
    assert outcomes(sarah) == [("skipped", "unwritten")]
    client.force_login(maya)
    assert "Send now" not in client.get(reverse("console:playbook_preview", args=[sarah.pk, playbook.key])).text


@pytest.mark.parametrize("part", ['{{ "%00" | url_decode }}', '{{ clients | modulo: "x" }}', '{{ "x" | sum }}', "{{ 9999 | base64_decode }}"])
def test_no_filter_of_one_template_holds_up_the_letters_of_another(maya, playbook, sink, part):  # noqa: F811
    with pytest.raises(letters.Unwritten):
        letters.filled(part, {"clients": 5}, part="text")
    MessageTemplate.objects.create(key="odd", category="tips", subject="Odd", text=part)
    copy(playbook, "odd", steps=[{"do": "message", "template": "odd"}])
    sarah = quiet(maya)
    playbooks.sweep(at=NOW)
    work()
    assert len(sink.letters) == 1
    decision = Decision.objects.get(playbook__key="odd")
    assert (decision.outcome, decision.gate) == ("failed", "unwritten") and decision.supplier == sarah
    assert "text" in next(gate["why"] for gate in decision.gates if not gate["holds"]) and len(decision.gates) > 5


@pytest.mark.parametrize("more", [{"category": "staff"}, {"category": {}}, {"category": "x"}, {"template": "x" * 201}, {"template": "\0"}])
def test_a_message_of_no_category_of_suppliers_is_no_plan(more):
    with pytest.raises(plans.Invalid):
        plans.read([{"do": "message", "template": "x", **more}])


# ---------------------------------------------------------------- between decision and sending


def came_back(sarah, maya) -> None:  # noqa: F811
    active(sarah, NOW + timedelta(hours=8))


def got_a_nobody(sarah, maya) -> None:  # noqa: F811
    maya.is_active = False
    maya.save()


def said_no(sarah, maya) -> None:  # noqa: F811
    preferences.unsubscribe(sarah.pk, at=NOW + timedelta(hours=8))


@pytest.mark.parametrize(("what", "gate"), [(came_back, "condition"), (got_a_nobody, "data"), (said_no, "channel_off")])
def test_what_changes_before_the_letter_leaves_keeps_it(maya, playbook, sink, what: Callable[..., None], gate: str):  # noqa: F811
    sarah = quiet(maya)
    playbooks.sweep(at=NOW - DAY)
    playbooks.sweep(at=NOW)
    stop = halt()
    due.run(due.registered()[engine.STEPS], at=NOW)
    assert Send.objects.get().state == "queued"
    what(sarah, maya)
    stop.ended_at = NOW + timedelta(hours=9)
    stop.save()
    work(at=NOW + timedelta(hours=9))
    assert not sink.letters
    assert outcomes(sarah)[-1] == ("skipped", gate) and not Slot.objects.exists()


def test_the_letter_has_the_numbers_of_when_it_leaves(maya, playbook, sink):  # noqa: F811
    sarah = quiet(maya)
    playbooks.sweep(at=NOW)
    stop = halt()
    due.run(due.registered()[engine.STEPS], at=NOW)
    clients.put(supplier_id=sarah.pk, clients={f"more-{n}": None for n in range(3)}, at=NOW)
    stop.delete()
    work(at=NOW + timedelta(hours=1))
    assert sink.letters[0]["Subject"] == "Your 8 clients are in"


def test_who_never_did_anything_is_written_to_where_the_letter_needs_no_day_of_hers(maya, playbook, sink):  # noqa: F811
    one = SupplierFactory(owner=maya, created_at=NOW - 14 * DAY)
    ContactFactory(supplier=one, name="Never Here", is_primary=False)
    assessments.assess(at=NOW, only=[one.pk])
    asked = {gate.key: gate for gate in gates.to_begin(playbook, [one.pk], at=NOW)[one.pk]}
    assert asked["data"].holds, asked["data"].why


def test_forgotten_in_the_middle_nothing_goes_out_and_nothing_is_said_to_be_on_its_way(maya, playbook, sink):  # noqa: F811
    sarah = quiet(maya)
    playbooks.sweep(at=NOW)
    stop = halt()
    due.run(due.registered()[engine.STEPS], at=NOW)
    privacy.erase(sarah.external_id, at=NOW, opaque="erased-1")
    stop.delete()
    playbooks.sweep(at=NOW + timedelta(minutes=1))
    work(at=NOW + 4 * DAY)
    assert not sink.letters and not Task.objects.exists()
    assert Intervention.objects.get().ended == Ended.LEFT
    assert not Decision.objects.filter(outcome="deferred").exists()


def test_a_refusal_of_the_mail_server_stands_in_the_ledger_with_its_words(maya, playbook, sink):  # noqa: F811
    sarah = quiet(maya)
    playbooks.sweep(at=NOW)
    due.run(due.registered()[engine.STEPS], at=NOW)
    send = Send.objects.get()
    Send.objects.update(state="refused", error="550 No such mailbox")
    for _ in range(2):  # told twice, it says the same
        with transaction.atomic():
            events.publish(sent(send, "refused"), supplier=sarah.pk, at=NOW)
        due.run(due.registered()[events.DELIVERIES], at=NOW)
    decision = Decision.objects.get()
    assert (decision.outcome, decision.gate) == ("failed", "refused")
    assert [gate["why"] for gate in decision.gates if not gate["holds"]] == ["550 No such mailbox"] and len(decision.gates) > 5


@pytest.mark.parametrize(
    "address", ["sarah lund@@example.com", "sarah@exa mple.com", "sarah", "<>", "sarah@example.com, eve@example.com", "s\u00e4rah@example.com"]
)
def test_an_address_that_no_mail_can_have_is_refused_for_sure(maya, playbook, sink, address):  # noqa: F811
    sarah = quiet(maya)
    quiet(maya, "Anna Berg")
    sarah.contacts.update(email=address)
    playbooks.sweep(at=NOW)
    work()
    assert not Send.objects.filter(state="unknown").exists() and Send.objects.filter(state="accepted").exists()
    assert all("eve" not in str(letter["To"]) for letter in sink.letters)


def sent(send: Send, outcome: str):
    return NotificationSent(send.key, send.channel, "first_weeks_quiet", outcome, "")


def test_a_no_stands_before_a_night(maya, playbook):  # noqa: F811
    sarah = quiet(maya)
    preferences.unsubscribe(sarah.pk, at=NOW)
    halt()
    playbooks.sweep(at=NOW)
    assert outcomes(sarah) == [("skipped", "channel_off")]


def test_a_reason_that_overruled_nothing_overrules_nothing_later(maya, playbook, sink):  # noqa: F811
    sarah = quiet(maya)
    run, _ = engine.ask(playbook, sarah.pk, key="x", at=NOW, by=maya, reason="Just so.")
    assert run and run.overruled == ""


# ---------------------------------------------------------------- who sees what


def test_a_manager_of_her_own_book_sees_no_number_of_others(client, maya, playbook):  # noqa: F811
    other = StaffFactory(first_name="Noa")
    quiet(maya), quiet(other, "Anna Berg"), quiet(other, "Ina Berg")
    Colleague.objects.filter(user=maya).update(own_book_only=True)
    client.force_login(maya)
    text = client.get(reverse("console:playbook", args=[playbook.pk])).text
    assert "it would reach 1" in text and "Anna" not in text


def test_a_decision_tells_her_health_over_the_api(api, maya, playbook):  # noqa: F811
    sarah = quiet(maya, name="")
    playbooks.sweep(at=NOW)
    [told] = api.get(f"/api/v1/suppliers/{sarah.external_id}/decisions/").json()["results"]
    assert told["health"].keys() == {"status", "score", "level", "points"} and told["gate"] == "data"


# ---------------------------------------------------------------- sixteen at once


def test_sixteen_playbooks_of_one_template_write_to_her_once(committed, sink):
    owner = StaffFactory(first_name="Maya")
    first = Playbook.objects.get(key="first_weeks_quiet")
    playbooks.switch(first, on=True, at=NOW - 7 * DAY)
    first.refresh_from_db()
    found = [first, *(copy(first, f"copy-{n}") for n in range(15))]
    sarah = quiet(owner)

    def at_once(work: Callable[[int], object]) -> None:
        def one(n: int) -> None:
            work(n)
            mail.hang_up()
            connection.close()

        threads = [Thread(target=one, args=[n]) for n in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    at_once(lambda n: engine.consider(found[n].pk, [sarah.pk], at=NOW))
    assert Intervention.objects.count() == 16
    for kind in (engine.STEPS, "success.send", events.DELIVERIES):
        at_once(lambda _, kind=kind: due.run(due.registered()[kind], at=clock.now()))
    assert len(sink.letters) == 1 and Send.objects.filter(state="accepted").count() == 1
    assert Slot.objects.count() == 1
    assert sorted(set(Decision.objects.values_list("outcome", "gate"))) == [("sent", ""), ("skipped", "cap")]
    assert Event.objects.filter(name="interventions.started").count() == 16
