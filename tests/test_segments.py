"""Segments: saved, listed over the API, edited in the admin, and never more than the reader may see."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from config.console.conditions import ConditionField
from health import assessments
from success import clock, facts, roles, segments
from success.models import Colleague, EventName, Segment, Supplier
from success.models.suppliers import Status
from tests import callers
from tests.callers import Api
from tests.factories import ContactFactory, StaffFactory, SupplierFactory

PRO = {"all": [{"fact": "plan", "is": "is", "value": "pro"}]}
GONE = {"all": [{"fact": "custom.gone", "is": "is", "value": "x"}]}
ADD = "/admin/success/segment/add/"


@pytest.fixture
def people(db):
    """Of three on the plan pro one has left and one is a test account; another is on basic."""
    for name, about in {"anna": {}, "left": {"status": Status.CANCELLED}, "test": {"internal": True}, "ben": {"plan": "basic"}}.items():
        ContactFactory(supplier=SupplierFactory(external_id=name, **about), name=f"<b>{name}</b>")


def colleague(client, role, **about):
    user = StaffFactory(**about)
    user.groups.add(Group.objects.get(name=role))
    client.force_login(user)
    return user


def found(raw):
    return set(Supplier.objects.filter(pk__in=segments.sample(facts.condition(raw), at=clock.now())[1]).values_list("external_id", flat=True))


@pytest.mark.parametrize(
    ("raw", "names"),
    [
        (PRO, {"anna"}),
        ({"fact": "status", "is": "is", "value": "cancelled"}, {"left"}),
        ({"fact": "status", "is": "one_of", "value": ["active", "cancelled"]}, {"anna", "ben", "left"}),
        ({"fact": "stage", "is": "is", "value": "lost"}, {"left"}),
        ({"fact": "in_service", "is": "is", "value": False}, {"left"}),
        ({"fact": "status", "is": "is_not", "value": "trial"}, {"anna", "ben"}),
        ({"fact": "mrr", "is": "unknown"}, {"anna", "ben"}),
    ],
)
def test_those_who_left_are_in_it_only_where_it_asks_for_them(people, raw, names):
    assert found(raw) == names
    everybody = Supplier.objects.values_list("pk", "external_id")
    assert {name for pk, name in everybody if segments.holds_for(facts.condition(raw), pk, at=clock.now())} == names


# ---------------------------------------------------------------- over the API


def test_over_the_api(people):
    Segment.objects.create(key="pro", name="On pro", condition=PRO)
    Segment.objects.create(key="left", name="Left", condition={"fact": "status", "is": "is", "value": "cancelled"})
    Segment.objects.create(key="broken", name="Broken", condition=GONE)
    api = Api(callers.key("read"))
    first = api.get("/api/v1/segments/?limit=1").json()
    assert first["results"] == [{"key": "pro", "name": "On pro", "condition": PRO, "sentence": "plan is pro"}]
    assert [one["sentence"] for one in api.get(first["next"].replace("limit=1", "limit=2")).json()["results"]] == ["status is cancelled", ""]
    assert [one["id"] for one in api.get("/api/v1/segments/left/suppliers/").json()["results"]] == ["left"]
    assert [one["id"] for one in api.get("/api/v1/suppliers/?segment=pro&level=critical").json()["results"]] == []
    assessments.assess(at=clock.now() + timedelta(days=4))
    assert [one["id"] for one in api.get("/api/v1/suppliers/?segment=pro").json()["results"]] == ["anna"]
    assert [api.get(f"/api/v1/segments/{key}/suppliers/").status_code for key in ("none", "broken")] == [404, 422]
    assert [api.get(f"/api/v1/suppliers/?segment={key}").status_code for key in ("none", "broken", "a%00")] == [422] * 3


# ---------------------------------------------------------------- in the admin


def test_a_lead_makes_a_segment_and_its_history_is_in_words(client, people):
    colleague(client, roles.LEAD, username="ines")
    assert client.post(ADD, {"name": "On pro", "key": "pro", "condition": json.dumps(PRO)}).status_code == 302
    segment = Segment.objects.get()
    page = reverse("admin:success_segment_change", args=[segment.pk])
    changed = {"any": [*PRO["all"], {"fact": "mrr", "is": "at_least", "value": 50}]}
    assert client.post(page, {"name": "On pro", "condition": json.dumps(changed)}).status_code == 302
    segment.refresh_from_db()
    assert (segment.key, segment.condition) == ("pro", changed)
    assert "plan is pro or MRR at least 50" in client.get("/admin/success/segment/").content.decode()
    told = client.get(reverse("admin:success_segment_history", args=[segment.pk])).content.decode()
    assert "Condition: plan is pro → plan is pro or MRR at least 50" in told and "by ines" in told


def test_what_is_no_condition_is_not_saved_and_says_what_to_do(client, people):
    colleague(client, roles.LEAD)
    for sent, said in {
        "": "Add at least one condition.",
        "{": "This is no condition. Begin again with a new row.",
        json.dumps({"all": [*PRO["all"], {"any": [{"fact": "score", "is": "is"}]}]}): "Row 2.1: Give a number.",
        json.dumps({"fact": "events", "event": "Zzz", "is": "at_least", "value": 1}): "No event “Zzz” is in the catalogue. Choose one that is.",
    }.items():
        answer = client.post(ADD, {"name": "x", "key": "x", "condition": sent})
        assert answer.status_code == 200 and said in answer.content.decode()
    assert not Segment.objects.exists()


def test_a_manager_reads_segments_and_makes_none(client, people):
    colleague(client, roles.MANAGER)
    segment = Segment.objects.create(key="pro", name="On pro", condition=PRO)
    page = client.get(reverse("admin:success_segment_change", args=[segment.pk])).content.decode()
    assert "plan is pro" in page and "data-condition" not in page
    assert client.get(ADD).status_code == 403
    listed = client.get("/admin/success/supplier/?segment=pro").content.decode()
    assert "in the segment On pro" in listed and "1 supplier<" in listed


def test_beside_the_form_stands_whom_it_finds_each_name_as_text(client, people):
    colleague(client, roles.LEAD)
    seen = client.post("/admin/conditions/seen/", {"condition": json.dumps(PRO)}).content.decode()
    assert "1 supplier today" in seen and "Plan is pro." in seen and "&lt;b&gt;anna&lt;/b&gt;" in seen and "<b>anna" not in seen
    assert "Not complete yet" in client.post("/admin/conditions/seen/", {"condition": "{"}).content.decode()
    assert "Add a row" in client.post("/admin/conditions/seen/").content.decode()


def test_who_keeps_to_their_own_book_sees_no_number_name_or_value_of_another(client, people):
    lina = colleague(client, roles.LEAD)
    Colleague.objects.create(user=lina, own_book_only=True)
    Supplier.objects.filter(external_id="ben").update(owner=lina)
    seen = client.post("/admin/conditions/seen/", {"condition": json.dumps({"fact": "plan", "is": "known"})}).content.decode()
    assert "1 supplier of your own today" in seen and "ben" in seen and "anna" not in seen
    assert client.get("/admin/conditions/values/?fact=plan").json() == {"values": ["basic"]}


def test_values_that_there_are_and_events_of_the_catalogue(client, people):
    colleague(client, roles.MANAGER)
    assert client.get("/admin/conditions/values/?fact=plan").json() == {"values": ["pro", "basic"]}
    assert set(client.get("/admin/conditions/values/?fact=events").json()["values"]) == set(EventName.objects.values_list("name", flat=True))
    assert client.get("/admin/conditions/values/?fact=score").json() == client.get("/admin/conditions/values/").json() == {"values": []}


def test_a_form_elsewhere_may_do_without_a_condition(db):
    field = ConditionField(required=False)
    assert field.clean("") is None
    assert not field.has_changed(PRO, json.dumps(PRO)) and field.has_changed(PRO, "")


def test_a_changed_list_of_facts_does_not_take_a_page_down(client, people):
    colleague(client, roles.LEAD)
    segment = Segment.objects.create(key="gone", name="Gone", condition=GONE)
    assert "no longer known" in client.get("/admin/success/segment/").content.decode()
    assert client.get(reverse("admin:success_segment_change", args=[segment.pk])).status_code == 200
    assert "0 suppliers" in client.get("/admin/success/supplier/?segment=gone").content.decode()
