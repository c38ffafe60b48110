"""The event catalogue: what each event came to, and what another meaning would change, said before it is saved and true afterwards."""

import json
from datetime import timedelta

import psycopg
import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from health import assessments, previews
from health.models import Assessment
from success import activity, catalogue, clock, readiness, roles
from success.models import Colleague, EventName, EventTotal, Feature, Supplier
from tests.factories import ContactFactory, SourceFactory, StaffFactory, SupplierFactory

LIST = "/admin/success/eventname/"


@pytest.fixture
def admin(db, client):
    user = StaffFactory()
    user.groups.add(Group.objects.get(name=roles.ADMINISTRATOR))
    client.force_login(user)
    return user


def send(*messages, ago=timedelta(days=1)):
    at = clock.now()
    sent = [{"type": "track", "timestamp": (at - ago).isoformat(), **message} for message in messages]
    return activity.take([json.dumps(one).encode() for one in sent], kind=None, source=SourceFactory(), received_at=at)


@pytest.fixture
def suppliers(db):
    """Five who opened the dashboard, of whom two signed in as well; and one who only signed in."""
    for n in range(6):
        ContactFactory(supplier=SupplierFactory(external_id=f"s{n}"), name=f"Person {n}")
    send(*({"userId": f"s{n}", "event": "Dashboard Opened"} for n in range(5)), *({"userId": f"s{n}", "event": "Signed In"} for n in (0, 1, 5)))
    send({"userId": "s2", "event": "Form Started"}, {"userId": "s2", "event": "Form Completed"}, ago=timedelta(days=20))
    send(*({"userId": f"s{n}", "event": "Form Created"} for n in (0, 3)), ago=timedelta(days=40))
    send(*({"userId": "s3", "event": "Couple Seen", "properties": {"client_id": f"c{n}"}} for n in range(4)))
    assessments.assess(at=clock.now())


def opened(name="Dashboard Opened"):
    return EventName.objects.get(name=name)


# ---------------------------------------------------------------- counts


def test_the_list_says_how_often_and_when_last(client, admin, suppliers):
    assert "not counted yet" in client.get(LIST).text
    catalogue.count(at=clock.now())
    total = EventTotal.objects.get(event=opened())
    assert (total.ever, total.week, total.suppliers) == (5, 5, 5)
    assert EventTotal.objects.get(event__name="Form Created").week == 0
    assert EventTotal.objects.get(event__name="Journey Created").last_at is None
    send({"userId": "s0", "event": "Dashboard Opened"})
    catalogue.count(at=clock.now())
    assert EventTotal.objects.get(event=opened()).ever == 6
    page = client.get(f"{LIST}?o=-4")  # by how often in 7 days
    assert "Counted" in page.text and page.context["cl"].result_list[0].name == "Dashboard Opened"


def test_the_list_asks_the_database_little(client, admin, suppliers, django_assert_max_num_queries):
    send(*({"userId": "s0", "event": f"Event {n}"} for n in range(90)))
    catalogue.count(at=clock.now())
    client.get(LIST)
    with django_assert_max_num_queries(20):
        client.get(LIST)


# ---------------------------------------------------------------- what would change

MEANINGS = [
    ("sign_in", None),
    ("feature", 2),
    ("form_started", None),
    ("form_completed", None),
    ("step_started", None),
    ("client_active", None),
    ("none", None),
]


@pytest.mark.parametrize("name", ["Dashboard Opened", "Form Created", "Form Completed", "Signed In", "Couple Seen"])
@pytest.mark.parametrize(("meaning", "feature"), MEANINGS)
def test_what_is_said_is_what_happens(suppliers, name, meaning, feature):
    """The preview against the real change: the same suppliers, the same scores."""
    at, before = clock.now(), dict(Assessment.objects.values_list("supplier", "score"))
    said = previews.of_meaning(opened(name), meaning=meaning, feature=feature, at=at)
    catalogue.change_meaning(name=name, meaning=meaning, feature=Feature.objects.filter(pk=feature).first(), at=at)
    assessments.assess(at=at)
    after = dict(Assessment.objects.values_list("supplier", "score"))
    happened = {pk: (before[pk], after[pk]) for pk in before if before[pk] != after[pk]}
    assert {move.supplier: (move.before.score, move.after.score) for move in said.moved} == happened
    assert said.ever == said.looked_at
    assert sum(n for _, _, n in said.levels) == sum(move.levels[0] != move.levels[1] for move in said.moved)


def test_a_part_is_said_to_be_one(suppliers):
    said = previews.of_meaning(opened(), meaning="sign_in", feature=None, at=clock.now(), most=3)
    assert (said.ever, said.looked_at) == (5, 3)


def test_it_holds_nobody_up_and_waits_for_nobody(committed):
    """With every row it looks at locked by a writer the preview answers, and takes no lock of its own on rows."""
    SupplierFactory(external_id="s0")
    activity.ensure_partitions(now=clock.now())
    send({"userId": "s0", "event": "Dashboard Opened"})
    with psycopg.connect(**readiness.parameters()) as writer:
        for table in ("facts", "supplier", "eventname", "dailyuse", "eventuse"):
            writer.execute(f"select 1 from success_{table} for update")
        said = previews.of_meaning(opened(), meaning="client_active", feature=None, at=clock.now())
    assert (said.ever, said.looked_at) == (1, 1)


def form(**changes):
    return {"meaning": "none", "feature": "", "kept": "client_id,count,page", "description": "", **changes}


def url(name="Dashboard Opened"):
    return reverse("admin:success_eventname_change", args=[opened(name).pk])


def test_between_the_form_and_the_save_stands_what_would_change(client, admin, suppliers, django_capture_on_commit_callbacks):
    asked = client.post(url(), form(meaning="sign_in", description="of the product", _continue="1"))
    assert "3 scores would move" in asked.text and "5 suppliers ever had it" in asked.text and "Person 2" in asked.text
    assert "Nothing is saved yet" in asked.text and opened().meaning == "none"
    typed = dict(asked.context["typed"])
    assert typed == form(meaning="sign_in", description="of the product", _continue="1")
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(url(), typed | {"sure": "yes"}).status_code == 302
    assert (opened().meaning, opened().description) == ("sign_in", "of the product")
    assert Supplier.objects.get(external_id="s2").facts.last_sign_in_at is not None


def test_words_are_saved_without_asking(client, admin, suppliers):
    assert client.post(url(), form(description="of the product", kept="page")).status_code == 302
    assert (opened().description, opened().kept) == ("of the product", ["page"])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"meaning": "feature"}, "Choose the feature that is used"),
        ({"meaning": "sign_in", "feature": "1"}, "Only an event that means"),
        ({"meaning": "nonsense"}, "Select a valid choice"),
    ],
)
def test_what_does_not_go_together_is_said(client, admin, suppliers, changes, words):
    assert words in client.post(url(), form(**changes)).text
    assert opened().meaning == "none"


def test_an_event_nobody_had_changes_nothing(client, admin, suppliers):
    assert "No supplier ever had this event" in client.post(url("Journey Created"), form(meaning="sign_in")).text


def test_who_may_not_change_it_is_shown_nothing(client, admin, suppliers):
    admin.groups.set([Group.objects.get(name=roles.LEAD)])
    assert client.post(url(), form(meaning="sign_in")).status_code == 403


def test_the_sample_names_nobody_from_another_book(client, admin, suppliers):
    Colleague.objects.create(user=admin, own_book_only=True)
    Supplier.objects.filter(external_id="s3").update(owner=admin)
    page = client.post(url(), form(meaning="sign_in")).text
    assert "Person 3" in page and "Person 2" not in page


def test_hostile_names_stay_words(client, admin, suppliers):
    evil = "<img src=x onerror=alert(1)>"
    send({"userId": "s0", "event": evil})
    assert "<img src=x" not in client.get(LIST).text + client.post(url(evil), form(meaning="sign_in", description=evil)).text
