"""The portfolio: every number as counted by hand, and the same as in the list behind it."""

import random
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from importlib import import_module

import msgspec
import pytest
from django.contrib.auth.models import Group

from config.console import bars
from health import assessments, history, portfolio
from health.models import Assessment, Override, Snapshot
from health.shares import BY, shares
from success import activity, clock, db
from success.models import Colleague, Supplier
from tests.factories import ContactFactory, SourceFactory, StaffFactory, SupplierFactory

PAGE, LIST = "/admin/portfolio/", "/admin/success/supplier/"
SCORES = {"critical": 20.0, "at_risk": 50.0, "healthy": 90.0}


def ago(days):
    return (clock.now() - timedelta(days=days)).date()


def noon(days):
    return datetime.combine(ago(days), datetime.min.time(), UTC) + timedelta(hours=12)


def result(standing):
    status = {"none": "insufficient_data", "ended": "ended"}.get(standing, "ok")
    return {"status": status, "score": SCORES.get(standing), "level": standing if status == "ok" else None, "scorecard": "ws142", "version": 1}


def person(name, path, *, now=None, **about):
    """A supplier with the days on which she changed, by days ago, and how she stands now if that is no longer as it was last night."""
    about = {"created_at": noon(max(path)), "status": "cancelled" if (now or list(path.values())[-1]) == "ended" else "active"} | about
    found = SupplierFactory(external_id=name, currency="EUR", **about)
    ContactFactory(supplier=found, name=name.title())
    before = "ended"
    for days, standing in path.items():
        Snapshot.objects.create(supplier=found, day=ago(days), stood_before=before if standing != before else None, **result(standing))
        before = standing
    Assessment.objects.create(supplier=found, changed_at=clock.now(), stood=before, **result(now or before))
    return found


def override(supplier, by, level, *, since, until):
    ended = noon(until) if until > 0 else None
    about = {"at": noon(since), "until": noon(until), "ended_at": ended}
    return Override.objects.create(supplier=supplier, level=level, computed_level="healthy", reason="knows", by=by, by_role="lead", **about)


def colleague(role, **about):
    user = StaffFactory(**about)
    user.groups.add(Group.objects.get(name=role))
    return user


@pytest.fixture
def lead(db, client):
    lead = colleague("lead", username="ines", first_name="Ines", last_name="Moreau")
    client.force_login(lead)
    return lead


@pytest.fixture
def world(lead):
    """Seven of whom one fell, two rose, one left, one is new, one came back, and one is a test account."""
    maya, tom = StaffFactory(username="maya", first_name="Maya"), StaffFactory(username="tom", first_name="Tom")
    person("anna", {40: "healthy", 10: "at_risk"}, owner=maya, mrr=10)
    person("ben", {40: "critical"}, now="healthy", owner=maya, mrr=20)
    person("cleo", {40: "healthy", 5: "ended"}, owner=tom, plan="studio", mrr=30)
    person("dora", {3: "none"}, plan="", vertical="venue")
    emil = person("emil", {40: "healthy"}, owner=tom, plan="studio", mrr=50)
    override(emil, lead, "critical", since=30, until=16)
    person("fay", {40: "ended"}, internal=True, status="active", plan="studio")
    gina = person("gina", {40: "critical", 30: "ended", 2: "critical"}, mrr=70)
    override(gina, lead, "at_risk", since=1, until=-9)
    return {"maya": maya, "tom": tom}


# ---------------------------------------------------------------- as counted by hand


def movement(*, since=None, at, **whose):
    return portfolio.movement(since=since or ago(28), at=at, **whose)


def weeks(*, n, at, **whose):
    return portfolio.weeks(movement(at=at, **whose).last, n=n, at=at, **whose)


def counts(critical, at_risk, healthy, none):
    return {"critical": critical, "at_risk": at_risk, "healthy": healthy, "none": none}


def test_levels_over_time(world):
    found = weeks(n=3, at=clock.now())
    assert [(point.day, point.counts) for point in found] == [
        (ago(21), counts(2, 0, 2, 0)),  # Emil by a person, Ben; Anna, Cleo
        (ago(14), counts(1, 0, 3, 0)),
        (ago(7), counts(1, 1, 2, 0)),
    ]
    [only] = weeks(n=1, owner=world["maya"].pk, at=clock.now())
    assert only.counts == counts(1, 1, 0, 0)
    assert weeks(n=1, unassigned=True, at=clock.now())[0].counts == counts(0, 0, 0, 0)
    assert [point.day for point in weeks(n=26, at=clock.now())] == [ago(days) for days in (35, 28, 21, 14, 7)]  # no further than is known


def test_movement(world):
    moves = movement(at=clock.now()).moves
    assert dict(moves) == {
        ("healthy", "at_risk"): 1,
        ("critical", "healthy"): 2,
        ("healthy", "ended"): 1,
        ("ended", "none"): 1,
        ("ended", "at_risk"): 1,
        ("ended", "ended"): 1,
    }


def test_told_apart(world):
    found = shares(by="plan", zone="UTC", at=clock.now())
    assert [(share.value, share.counts, share.mrr, share.at_risk, share.median) for share in found] == [
        ("pro", counts(0, 2, 1, 0), {"EUR": 100}, {"EUR": 80}, 50),
        ("", counts(0, 0, 0, 1), {}, {}, None),
        ("studio", counts(0, 0, 1, 0), {"EUR": 50}, {}, 90),
    ]
    by_owner = shares(by="owner", zone="UTC", owner=world["tom"].pk, at=clock.now())
    assert [(share.value, share.total) for share in by_owner] == [(world["tom"].pk, 1)]


@pytest.mark.parametrize("seed", range(4))
def test_the_levels_of_all_add_up_to_those_in_service(lead, seed):
    """Whatever happened to them: on each day and by every dimension, against a recount supplier by supplier."""
    chance, standings = random.Random(seed), [*portfolio.STANDINGS, "ended"]
    paths = {}
    for n in range(25):
        days = sorted(chance.sample(range(1, 70), chance.randint(1, 6)), reverse=True)
        paths[n] = {day: chance.choice(standings) for day in days}
        person(f"n-{n}", paths[n], plan=chance.choice(["pro", "studio"]))
    for point in weeks(n=9, at=clock.now()):
        back = (clock.now().date() - point.day).days
        stood = [next((path[day] for day in sorted(path) if day >= back), "ended") for path in paths.values()]
        assert point.counts == {standing: stood.count(standing) for standing in portfolio.STANDINGS}
    moves, in_service = movement(since=ago(30), at=clock.now()).moves, Supplier.objects.in_service().count()
    assert sum(moves.values()) == 25 and sum(n for (_, now), n in moves.items() if now != "ended") == in_service
    for by in BY:
        assert sum(share.total for share in shares(by=by, zone="UTC", at=clock.now())) == in_service


# ---------------------------------------------------------------- the page, and the lists behind it

LINK = re.compile(r'<a href="([^"]*success/supplier/\?[^"]*)"(?: tabindex="-1" aria-label="[^"]*?(\d+)")?[^>]*>(?:([\d,]+)\D*?</a>)?')


def links(page):
    return {(unescape(url), int((said or shown).replace(",", ""))) for url, said, shown in LINK.findall(page)}


@pytest.mark.parametrize("by", BY)
@pytest.mark.parametrize("whose", ["", "maya", "none"])
def test_behind_every_number_is_a_list_of_as_many(client, world, by, whose):
    found = links(client.get(PAGE, {"by": by, "whose": whose, "weeks": 4, "whole": ""}).text)
    assert len(found) > (10 if whose == "" else 2)
    assert {(url, client.get(url).context["cl"].result_count) for url, _ in found} == found


def test_who_left_a_moment_ago_has_left_though_her_score_does_not_know_yet(client, world):
    """Scores follow within seconds; the page and the lists behind it go by the supplier herself."""
    Supplier.objects.filter(external_id="anna").update(status="cancelled")
    fell = client.get(f"{LIST}?moved=fell@{ago(28)}").context["cl"].result_count
    assert fell == 0 and movement(at=clock.now()).moves["healthy", "at_risk"] == 0
    found = links(client.get(PAGE, {"whole": ""}).text)
    assert {(url, client.get(url).context["cl"].result_count) for url, _ in found} == found


@pytest.mark.parametrize("by", BY)
def test_the_page_and_the_part_that_comes_after_it_say_what_the_whole_says(client, world, by):
    page, part, whole = (links(client.get(PAGE, {"by": by, **asked}).text) for asked in ({}, {"fragment": ""}, {"whole": ""}))
    assert page and part and page | part == whole


def test_who_keeps_to_her_own_book_sees_her_own_numbers_only(client, world, lead):
    Supplier.objects.filter(external_id="ben").update(owner=lead)
    Colleague.objects.create(user=lead, own_book_only=True)
    page = client.get(PAGE, {"whose": "tom", "by": "owner", "whole": ""})
    assert "Maya" not in page.text and "Tom" not in page.text
    assert page.context["now"].total == 1 and page.context["left_out"] == []
    assert [(row["title"], row["all"].n) for row in page.context["shares"]] == [("Ines Moreau", 1)]
    part = client.get(PAGE, {"whose": "tom", "by": "owner", "fragment": ""})
    assert "Maya" not in part.text and [row["title"] for row in part.context["shares"]] == ["Ines Moreau"]
    found = links(page.text)
    assert {n for _, n in found} == {1}
    assert {(url, client.get(url).context["cl"].result_count) for url, _ in found} == found


def test_it_is_for_leads(client, world):
    assert PAGE in client.get("/admin/").text
    client.force_login(colleague("success manager"))
    assert client.get(PAGE).status_code == 403
    assert PAGE not in client.get("/admin/").text


def test_it_asks_the_database_little(client, world, django_assert_max_num_queries):
    with django_assert_max_num_queries(30):
        client.get(PAGE, {"whole": ""})


def test_hostile_words_stay_words(client, world):
    Supplier.objects.filter(plan="pro").update(plan="<img src=x onerror=alert(1)>\"'")
    assert "<img src=x" not in client.get(PAGE, {"by": "plan", "whole": ""}).text


def test_what_changed_and_what_is_not_healthy_is_said_in_numbers(client, world):
    answer = client.get(PAGE, {"by": "plan", "whole": ""})
    assert answer.context["change"] == [("critical", -2), ("at_risk", 2), ("healthy", -1)]  # since 35 days ago: Ben, Gina; Anna, Cleo, Emil
    assert [share["worse"] for share in answer.context["shares"]] == [67, 0, 0]


def test_before_anything_is_known_it_says_so(client, lead):
    page = client.get(PAGE, {"whole": ""}).text
    assert "once there is a week to look back on" in page and "Nobody is in service" in page


@pytest.mark.parametrize(
    ("query", "names", "said"),
    [
        ("was=healthy@{14}", {"anna", "cleo", "emil"}, "healthy on "),
        ("was=critical@{21}", {"ben", "emil"}, "critical on "),
        ("was=any@{21}", {"anna", "ben", "cleo", "emil"}, "in service on "),
        ("moved=healthy.at_risk@{28}", {"anna"}, ", at risk now"),
        ("moved=fell@{28}", {"anna"}, "fell since "),
        ("moved=rose@{28}", {"ben", "emil"}, "rose since "),
        ("moved=any.ended@{28}", {"cleo"}, "left since "),
        ("moved=ended.any@{28}", {"dora", "gina"}, "new or back since "),
        ("moved=ended.none@{28}", {"dora"}, ", no score now"),
        ("moved=ended.ended@{28}", {"fay"}, "out of service on "),
        ("signs=internal", {"fay"}, "internal"),
        ("status=cancelled", {"cleo"}, "cancelled"),
    ],
)
def test_the_list_is_narrowed_and_says_how(client, world, query, names, said):
    query = re.sub(r"\{(\d+)\}", lambda found: str(ago(int(found[1]))), query)
    answer = client.get(f"{LIST}?{query}")
    assert {supplier.external_id for supplier in answer.context["cl"].queryset} == names
    assert said in answer.text


def test_a_month_of_sign_up_is_the_readers(client, lead):
    """Half past eleven in the evening of the 31st in UTC is already June in Berlin."""
    SupplierFactory(external_id="late", created_at=datetime(2026, 5, 31, 22, 30, tzinfo=UTC))
    assert [one.external_id for one in client.get(f"{LIST}?signed_up=2026-05").context["cl"].queryset] == ["late"]
    Colleague.objects.create(user=lead, timezone="Europe/Berlin")
    assert "June 2026" in client.get(f"{LIST}?signed_up=2026-06").text
    assert [one.external_id for one in client.get(f"{LIST}?signed_up=2026-06").context["cl"].queryset] == ["late"]
    assert client.get(PAGE, {"by": "signed_up", "whole": ""}).context["shares"][0]["title"] == "Jun 2026"


@pytest.mark.parametrize(
    "query", ["was=critical", "was=critical@yesterday", "was=grand@2026-01-01", "moved=x@2026-01-01", "moved=fell.rose@2026-01-01", "moved=@",
              "signed_up=2026-13", "signed_up=soon", "signed_up=9999-12", "was='--@2026-01-01"]
)  # fmt: skip
def test_what_cannot_be_read_is_refused(client, lead, query):
    assert client.get(f"{LIST}?{query}").headers["Location"].endswith("?e=1")


# ---------------------------------------------------------------- what it is read from


@pytest.mark.django_db
def test_closing_days_and_migrating_find_the_same_changes():
    """Of somebody who was healthy, fell and left: each once; and closing says how she stood last."""
    source, now = SourceFactory(), noon(0)
    SupplierFactory(external_id="rita", created_at=noon(50))
    names = ("Signed In", "Form Created", "Clients Imported", "Journey Created", "Template Used", "Client Active")
    sent = [{"type": "track", "userId": "rita", "event": name, "properties": {"client_id": "c"}, "timestamp": noon(40).isoformat()} for name in names]
    activity.take([msgspec.json.encode(one) for one in sent], kind=None, source=source, received_at=now)
    history.backfill(first=ago(50), last=ago(1))
    assessments.assess(at=now)
    rows = {row.pk: row.stood_before for row in Snapshot.objects.all()}
    changes = [before for before in rows.values() if before]
    assert changes[0] == "ended" and changes[-2:] == ["healthy", "at_risk"]
    assert Assessment.objects.get().stood == "critical"
    Snapshot.objects.update(stood_before=None)
    turns = import_module("health.migrations.0008_turns")
    assert db.execute(turns.FILL, {"first": 0, "last": 10**9}) == len(changes)
    assert {row.pk: row.stood_before for row in Snapshot.objects.all()} == rows


@pytest.mark.parametrize(("most", "found"), [(1, 1), (7, 8), (9, 10), (10, 10), (11, 20), (101, 200), (1796, 2000)])
def test_the_axis_ends_at_a_round_number(most, found):
    assert bars.nice(most) == found
