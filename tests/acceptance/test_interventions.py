"""Interventions: Sarah drifts away, gets the one letter that helps, comes back, and the ledger and her timeline tell it; ten who said no get none."""

import json
import re
from collections import Counter
from datetime import timedelta
from io import StringIO
from urllib.parse import urlsplit

import pytest
import requests
from django.core.management import CommandError, call_command

from health import assessments
from interventions import playbooks
from interventions.models import Decision, Intervention, Playbook
from milestones.models import Achievement
from success import clock, due, jobs
from success.models import Colleague, Contact, Send, Supplier
from success.notifications import door
from tests.acceptance.test_health import send
from tests.factories import StaffFactory

CLIENTS = 5
DRIFTED = [("Signed In", 10.2, {}), ("Clients Imported", 10.1, {"count": CLIENTS}), ("Form Created", 10, {})]
SAID_NO = [f"said-no-{n}" for n in range(10)]


def work(*, at):
    """What workers and beat do: sweeps, and all that is due, until nothing is."""
    assessments.assess_touched(at=at)
    jobs.find("milestones.announce").run(at=at, slot=at, only=None)
    playbooks.sweep(at=at)
    done = Counter[str](begun=1)
    while done:
        at += timedelta(seconds=5)
        done = sum((due.run(kind, at=at) for kind in due.registered().values()), start=Counter[str]())


def call(web, key, method, path, **json):
    answer = requests.request(method, f"{web}{path}", headers={"Authorization": f"Bearer {key}"}, timeout=10, **({"json": json} if json else {}))
    assert answer.ok, answer.text
    return answer.json() if answer.content else None


def arrive(web, key, supplier):
    """Through Segment's library, two weeks as a whole: history, so that nothing is told of it."""
    send(web, key, DRIFTED, created=14, supplier=supplier)
    clients = [{"client_id": f"{supplier}-{n}", "last_activity_at": None} for n in range(CLIENTS)]
    call(web, key, "PUT", f"/api/v1/suppliers/{supplier}/clients/", clients=clients)


@pytest.fixture
def owned(committed):
    """A success manager with a booking page, and the playbook on since last week."""
    maya = StaffFactory(username="maya", first_name="Maya", last_name="Lindqvist")
    Colleague.objects.create(user=maya, booking_url="https://cal.example.com/maya")
    playbooks.switch(Playbook.objects.get(key="first_weeks_quiet"), on=True, at=clock.now() - timedelta(days=7))
    return maya


@pytest.mark.line("I1", "I2", "I3", "I5", "I6", "I7", "M1", "M3", "P4", "S5")
def test_sarahs_thread(web, key, owned, sink, figure):
    for name in SAID_NO:
        call(web, key, "PUT", f"/api/v1/suppliers/{name}/preferences/", channels={"email": False})
    for name in ("sarah", *SAID_NO):
        arrive(web, key, name)
    Supplier.objects.update(owner=owned)
    found_at = clock.now()
    work(at=found_at)

    [letter] = sink.letters
    text = letter.get_body(("plain",)).get_content()
    assert letter["To"] == "sarah@example.com" and f"{CLIENTS} clients are in your account, and 1 form is ready" in text
    [sent] = call(web, key, "GET", "/api/v1/suppliers/sarah/decisions/")["results"]
    assert (sent["outcome"], sent["gate"]) == ("sent", None)
    assert Decision.objects.get(supplier__external_id="sarah").health["score"] < 70
    for name in SAID_NO:
        [decision] = call(web, key, "GET", f"/api/v1/suppliers/{name}/decisions/")["results"]
        assert (decision["outcome"], decision["gate"]) == ("skipped", "channel_off")
    reached = Send.objects.get(supplier__external_id="sarah").ended_at - found_at

    [link] = re.findall(r"http\S+/book/\S+", text)
    answer = requests.get(link.replace(link.split("/book/")[0], web), allow_redirects=False, timeout=10)
    assert (answer.status_code, answer.headers["Location"]) == (302, "https://cal.example.com/maya")

    work(at=clock.now())
    assert len(sink.letters) == 1  # no second within its limit
    more = [{"client_id": f"new-{n}", "last_activity_at": None} for n in range(20)]
    call(web, key, "PUT", "/api/v1/suppliers/sarah/clients/", clients=more)
    assert Achievement.objects.filter(supplier__external_id="sarah", milestone__key="client_list").exists()  # at the commit, before any worker
    work(at=clock.now())
    run = Intervention.objects.get(supplier__external_id="sarah")
    assert run.ended == "goal"
    [told] = call(web, key, "GET", "/api/v1/suppliers/sarah/interventions/")["results"]
    assert (told["playbook"], told["state"], told["next_at"]) == ("first_weeks_quiet", "goal", None)
    [notice] = [one for one in call(web, key, "GET", "/api/v1/suppliers/sarah/notifications/")["results"] if one["title"] == "Client list"]
    assert "25 couples" in notice["text"] and notice["read_at"] is None
    figure(f"{len(text.split())} words, sent {reached.total_seconds():.1f} s after her risk was known; {len(SAID_NO)} who said no: none, each with the reason")


@pytest.mark.line("M2")
def test_how_far_she_is(web, key, committed, figure):
    arrive(web, key, "sarah")
    told = call(web, key, "GET", "/api/v1/suppliers/sarah/milestones/")
    far = {one["key"]: (one["current"], one["target"]) for one in told["progress"]}
    assert far["client_list"] == (CLIENTS, 25)
    assert {one["key"] for one in told["achieved"]} >= {"first_client", "first_form"}
    figure(f"{far['client_list'][0]} of {far['client_list'][1]} clients, next: {told['next']['key']}")


@pytest.mark.line("S6")
def test_she_takes_back_her_consent_is_given_what_is_held_and_is_forgotten(web, key, owned, sink, figure):
    arrive(web, key, "sarah")
    Supplier.objects.update(owner=owned)
    work(at=clock.now())
    [letter] = sink.letters
    link = letter["List-Unsubscribe"].strip().strip("<>")
    one_click = {"data": letter["List-Unsubscribe-Post"], "headers": {"Content-Type": "application/x-www-form-urlencoded"}}
    assert requests.post(web + urlsplit(link).path, **one_click, timeout=10).ok
    assert call(web, key, "GET", "/api/v1/suppliers/sarah/preferences/")["channels"]["email"] is False
    sarah = Supplier.objects.get(external_id="sarah").pk
    door.notify(supplier=sarah, template="first_weeks_quiet", context={}, category="", key="again", channels=("email",), at=clock.now())
    work(at=clock.now())
    assert (len(sink.letters), Send.objects.get(key="again").gate) == (1, "channel_off")

    held = exported("sarah")
    rows = [row for kind in held.values() if isinstance(kind, dict) for row in kind["rows"]]
    assert "sarah@example.com" in str(rows) and letter["Subject"] in str(rows)
    call_command("erase_supplier", "sarah", "--yes")
    with pytest.raises(CommandError, match="asked to be forgotten; nothing is held"):
        exported("sarah")
    assert not Supplier.objects.filter(external_id="sarah").exists() and not Contact.objects.exclude(email="").filter(supplier=sarah).exists()
    figure(f"no mail after one click; {len(rows)} rows of {len(held) - 1} kinds handed out; then no id or address of hers")


def exported(supplier):
    out = StringIO()
    call_command("export_supplier", supplier, stdout=out)
    return json.loads(out.getvalue())
