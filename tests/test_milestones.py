"""A supplier gets somewhere that matters: seen in the database, told exactly once, and never by history."""

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from django.core.management import CommandError, call_command
from django.db import connection

from health.models import Assessment
from milestones import achievements, board, definitions, progress, reconciling
from milestones.models import Achievement, Fault, Milestone, Reward, Threshold, Touched
from milestones.requirements import parse
from success import activity, clients, clock, db, jobs, listing
from success.models import DeadLetter, Event, EventName, Source, Supplier
from tests.callers import bearer, key
from tests.factories import ContactFactory, SourceFactory, StaffFactory, SupplierFactory

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def source(db: None) -> Iterator[Source]:
    activity.ensure_partitions(now=NOW)
    yield SourceFactory(name="product")
    assert list(Fault.objects.values_list("sqlstate", "error")) == []


def track(event: str, *, who: str = "sarah", at: datetime = NOW, **properties: object) -> bytes:
    return json.dumps({"type": "track", "userId": who, "event": event, "timestamp": at.isoformat(), "properties": properties}).encode()


def take(source: Source, *messages: bytes, at: datetime = NOW) -> None:
    assert not activity.take(list(messages), kind=None, source=source, received_at=at).refused


def reached(who: str = "sarah") -> dict[str, Achievement]:
    return {one.milestone.key: one for one in Achievement.objects.filter(supplier__external_id=who).select_related("milestone")}


def test_from_activity_to_the_published_event(source):
    take(source, track("Form Created", at=NOW - timedelta(minutes=1)))
    first = reached()["first_form"]
    assert (first.achieved_at, first.known_at, first.silent, first.announced_at) == (NOW - timedelta(minutes=1), NOW, False, None)
    assert str(first.message) == str(db.rows("select message from success_activity")[0][0])
    done = jobs.find("milestones.announce").run(at=NOW + timedelta(seconds=2), slot=NOW, only=None)
    assert done.counts["announced"] == 1 and not done.failures
    told = Event.objects.get(name="milestones.achieved")
    assert told.payload == {"milestone": "first_form", "title": "First form", "counter": "feature:forms_created", "count": 1}
    assert achievements.announce(at=NOW + timedelta(seconds=4)).n == 0
    assert Event.objects.filter(name="milestones.achieved").count() == 1


def test_a_batch_that_leaps_over_a_threshold(source):
    take(source, *(track("Client Active", client_id=f"c{n}") for n in range(30)))
    mine = reached()
    assert {"first_client", "client_list", "first_client_active"} <= set(mine)
    assert (mine["client_list"].counter, mine["client_list"].n) == ("clients", 25)
    take(source, *(track("Client Active", client_id=f"c{n}") for n in range(30)))
    assert reached().keys() == mine.keys()


def test_clients_told_by_the_product(source):
    take(source, track("Signed In"))
    sarah = Supplier.objects.get(external_id="sarah").pk
    clients.put(supplier_id=sarah, clients={f"c{n}": None for n in range(24)}, at=NOW)
    assert "client_list" not in reached()
    later = NOW + timedelta(hours=1)
    clients.put(supplier_id=sarah, clients={"last": None}, at=later)
    assert (reached()["client_list"].known_at, reached()["client_list"].silent) == (later, False)


# ---------------------------------------------------------------- history is silent


OLD = NOW - timedelta(days=3)
SILENT = [
    ("an old form", [("Form Created", OLD, {})], {"first_form": True}),
    ("a form of today", [("Form Created", NOW - timedelta(hours=23), {})], {"first_form": False}),
    ("an old form beside a fresh sign-in", [("Form Created", OLD, {}), ("Signed In", NOW, {})], {"first_form": True}),
    ("answers, the last one fresh", [("Form Completed", OLD, {}), ("Form Completed", NOW, {})], {"first_form_answered": False}),
    ("an old client", [("Client Active", OLD, {"client_id": "c1"})], {"first_client": True, "first_client_active": True}),
    ("a client of today", [("Client Active", NOW, {"client_id": "c1"})], {"first_client": False, "first_client_active": False}),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "expected"), [case[1:] for case in SILENT], ids=[case[0] for case in SILENT])
def test_activity_that_was_old_when_it_came_is_silent(source, sent, expected):
    take(source, *(track(event, at=at, **properties) for event, at, properties in sent))
    assert {key: one.silent for key, one in reached().items()} == expected
    achievements.announce(at=NOW)
    told = Event.objects.filter(name="milestones.achieved").values_list("payload__milestone", flat=True)
    assert set(told) == {key for key, silent in expected.items() if not silent}


def test_old_activity_that_completes_a_count_is_silent_even_after_fresh_activity(source):
    take(source, *(track("Form Completed", at=NOW - timedelta(minutes=n)) for n in range(24)))
    take(source, track("Form Completed", at=OLD), at=NOW + timedelta(minutes=1))
    assert reached()["many_answers"].silent and not reached()["first_form_answered"].silent


def test_history_through_the_api(source, client):
    body = {"batch": [{"type": "track", "userId": "sarah", "event": "Form Created", "timestamp": (clock.now() - timedelta(days=2)).isoformat()}]}
    answer = client.post("/v1/batch", json.dumps(body), content_type="application/json", headers=bearer(key()))
    assert answer.json()["accepted"] == 1
    assert reached()["first_form"].silent


def test_what_is_said_to_be_history_is_silent(source):
    with db.history():
        take(source, track("Form Created"))
    assert reached()["first_form"].silent
    assert achievements.announce(at=NOW).n == 0


def test_when_it_had_happened_is_told_by_the_activity(source):
    days = [NOW - timedelta(days=n) for n in (40, 30, 20)]
    with db.history():
        take(source, *(track("Form Created", at=at) for at in reversed(days)))
    assert (reached()["first_form"].achieved_at, reached()["form_library"].achieved_at) == (days[0], days[2])


# ---------------------------------------------------------------- whoever writes


def test_sql_by_hand_reaches_it_too(source):
    sarah = SupplierFactory(external_id="sarah")
    event = EventName.objects.get(name="Form Completed").pk
    db.execute("insert into success_eventuse (supplier_id, event_id, n, first_at, last_at) values (%s, %s, 3, %s, %s)", [sarah.pk, event, NOW, NOW])
    assert set(reached()) == {"first_form_answered"}
    db.execute("update success_eventuse set n = 25 where supplier_id = %s", [sarah.pk])
    db.execute("update success_facts set clients_total = 26, features = 15 where supplier_id = %s", [sarah.pk])
    assert set(reached()) == {"first_form_answered", "many_answers", "first_client", "client_list", "first_form", "first_import", "first_journey",
                              "first_template", "two_features", "all_features"}  # fmt: skip
    assert reached()["many_answers"].achieved_at == NOW


def test_a_supplier_nobody_knows_stops_no_writer(source):
    event = EventName.objects.get(name="Form Completed").pk
    db.execute("insert into success_eventuse (supplier_id, event_id, n, first_at, last_at) values (%s, %s, 3, %s, %s)", [987654321, event, NOW, NOW])
    assert not Achievement.objects.exists()


@pytest.mark.django_db
def test_a_fault_of_the_watch_loses_no_event():
    activity.ensure_partitions(now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("alter table milestones_achievement add constraint no_luck check (n < 0) not valid")
    take(SourceFactory(), track("Form Created"))
    fault = Fault.objects.get()
    assert (fault.sqlstate, fault.at) == ("23514", NOW)
    assert Supplier.objects.get(external_id="sarah").facts.features == 1
    assert not DeadLetter.objects.exists() and not Achievement.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute("alter table milestones_achievement drop constraint no_luck")
    assert reconciling.reconcile(at=NOW, grant=reconciling.CELEBRATE) == 1
    assert not reached()["first_form"].silent


def test_an_archived_client_and_back_reaches_nothing_twice(source):
    take(source, track("Signed In"))
    sarah = Supplier.objects.get(external_id="sarah").pk
    for n in range(3):
        clients.put(supplier_id=sarah, clients={"c1": None}, at=NOW + timedelta(minutes=n))
        clients.archive(supplier_id=sarah, client="c1", at=NOW + timedelta(minutes=n, seconds=30))
    assert reached()["first_client"].known_at == NOW


# ---------------------------------------------------------------- what no counter decides


def test_streaks_of_days_and_weeks(source):
    take(source, *(track("Page Viewed", who="anna", at=NOW - timedelta(days=n)) for n in (0, 1, 2)))
    take(source, *(track("Page Viewed", who="ben", at=NOW - timedelta(days=n)) for n in (0, 1, 3, 4)))
    take(source, *(track("Page Viewed", who="cleo", at=NOW - timedelta(days=7 * n)) for n in range(4)))
    take(source, *(track("Form Completed", who="dora", at=NOW - timedelta(days=n)) for n in (0, 1, 2)))  # her couples did that
    achievements.evaluate(at=NOW)
    assert [set(reached(name)) & {"three_days", "four_weeks"} for name in ("anna", "ben", "cleo", "dora")] == [{"three_days"}, set(), {"four_weeks"}, set()]


def test_a_level_held_and_a_profile(source):
    sarah = SupplierFactory(external_id="sarah")
    ContactFactory(supplier=sarah, name="Sarah", email="sarah@example.org", phone="1")
    at = clock.now()
    take(source, track("Signed In", at=at), at=at)
    about = {"scorecard": "ws142", "version": 1, "changed_at": at, "level_since": at - timedelta(days=30)}
    Assessment.objects.create(supplier=sarah, status="ok", score=80, level="healthy", **about)
    assert achievements.evaluate(at=at - timedelta(seconds=1)) == 1
    assert set(reached()) == {"profile_complete"}
    assert achievements.evaluate(at=at) == 1
    assert set(reached()) == {"profile_complete", "first_healthy_month"}
    assert achievements.evaluate(at=at) == 0
    assert (reached()["first_healthy_month"].achieved_at, reached()["first_healthy_month"].silent) == (at, False)


def test_a_streak_that_was_long_ago_is_history(source):
    for who, ago in (("anna", 40), ("ben", 0)):
        take(source, *(track("Page Viewed", who=who, at=NOW - timedelta(days=n + ago)) for n in (0, 1, 2, 7, 14, 21)))
    achievements.evaluate(at=NOW + timedelta(hours=1))
    assert [(reached(who)[key].silent, reached(who)[key].achieved_at) for who in ("anna", "ben") for key in ("three_days", "four_weeks")] == [
        (True, NOW - timedelta(days=40)), (True, NOW - timedelta(days=42)), (False, NOW), (True, NOW - timedelta(days=2)),
    ]  # fmt: skip


def test_all_of_several_is_reached_with_its_last_part(source):
    take(source, *(track("Client Active", client_id=f"c{n}") for n in range(25)), track("Form Completed"))
    achievements.evaluate_touched(at=NOW)
    assert "season_ready" not in reached()
    take(source, track("Journey Step Completed"), at=NOW + timedelta(minutes=1))
    jobs.find("milestones.announce").run(at=NOW + timedelta(minutes=2), slot=NOW, only=None)
    assert "season_ready" in reached() and not Touched.objects.exists()


# ---------------------------------------------------------------- announced once, one in nobody's way


def test_one_that_cannot_be_announced_stands_in_nobodys_way(source):
    gift = Reward.objects.create(key="gift", name="gift", kind="credit")
    Milestone.objects.filter(key="first_form").update(reward=gift)
    take(source, track("Form Created", who="anna"), track("Form Completed", who="ben"))
    with connection.cursor() as cursor:
        cursor.execute("alter table milestones_grant add constraint no_luck check (value < 0) not valid")
    with structlog.testing.capture_logs():
        done = achievements.announce(at=NOW)
    anna = Supplier.objects.get(external_id="anna")
    assert done.n == 1 and set(done.failures) == {anna.pk}
    assert reached("ben")["first_form_answered"].announced_at and not reached("anna")["first_form"].announced_at
    with connection.cursor() as cursor:
        cursor.execute("alter table milestones_grant drop constraint no_luck")
    assert achievements.announce(at=NOW).n == 1
    assert Event.objects.filter(name="milestones.achieved").count() == 2


def test_accounts_out_of_service_are_told_nothing(source):
    SupplierFactory(external_id="sarah", internal=True)
    take(source, track("Form Created"))
    assert achievements.announce(at=NOW).n == 1
    assert reached()["first_form"].announced_at == NOW
    assert not Event.objects.filter(name="milestones.achieved").exists()


# ---------------------------------------------------------------- for ever, unless taken back


def test_taken_back_it_stays_taken_back(source):
    boss = StaffFactory()
    take(source, track("Form Created"))
    achievements.announce(at=NOW)
    with pytest.raises(achievements.NoReason):
        achievements.revoke(achievement=reached()["first_form"].pk, because=" ", by=boss, at=NOW)
    achievements.revoke(achievement=reached()["first_form"].pk, because="a test account's form", by=boss, at=NOW)
    with pytest.raises(achievements.NotHers):
        achievements.revoke(achievement=reached()["first_form"].pk, because="again", by=boss, at=NOW)
    assert reconciling.reconcile(at=NOW, grant=reconciling.SILENTLY) == 0
    take(source, track("Form Created"), at=NOW + timedelta(hours=1))
    climb = progress.climb(Supplier.objects.get(external_id="sarah").pk, at=NOW)
    assert climb.achieved == [] and "first_form" not in {rung.milestone.key for rung in climb.rungs}
    assert Event.objects.filter(name="milestones.revoked").count() == 1


def test_a_changed_definition_says_who_gains_and_takes_from_nobody(source):
    take(source, *(track("Client Active", who="anna", client_id=f"c{n}") for n in range(25)))
    take(source, *(track("Client Active", who="ben", client_id=f"c{n}") for n in range(12)))
    ours = Milestone.objects.get(key="client_list")
    ours.requirement = {"count": "clients", "at_least": 10}
    gain = definitions.gain(parse(ours.requirement), milestone=ours.pk, at=NOW)
    assert (gain.n, [one.external_id for one in gain.some], gain.keep) == (1, ["ben"], 1)
    definitions.define(ours)
    assert reconciling.reconcile(at=NOW, grant=None) == 1
    assert reconciling.reconcile(at=NOW, grant=reconciling.SILENTLY) == 1
    assert reached("ben")["client_list"].silent
    ours.requirement = {"count": "clients", "at_least": 100}
    definitions.define(ours)
    assert "client_list" in reached("anna") and "client_list" in reached("ben")
    ours.active = False
    definitions.define(ours)
    assert not Threshold.objects.filter(milestone=ours).exists()


# ---------------------------------------------------------------- how far


def test_how_far_she_is(source, client):
    sarah = SupplierFactory(external_id="sarah", created_at=NOW - timedelta(days=20))
    take(source, track("Form Created", at=NOW - timedelta(days=15)), at=NOW - timedelta(days=15))
    clients.put(supplier_id=sarah.pk, clients={f"c{n}": None for n in range(7)}, at=NOW - timedelta(days=15))
    found = {rung.milestone.key: rung for rung in progress.climb(sarah.pk, at=NOW).rungs}
    assert [(found[key].state, found[key].current, found[key].target) for key in ("first_form", "client_list", "first_form_answered", "many_answers")] == [
        ("done", 1, 1), ("stuck", 7, 25), ("behind", 0, 1), ("locked", 0, 25),
    ]  # fmt: skip
    assert found["first_import"].state == "behind" and found["all_features"].state == "locked"
    assert listing.one("sarah", at=NOW)["next_milestone"] == "profile_complete"


STATES = [
    ({"done": True, "locked": True}, "done"), ({"locked": True, "due_at": OLD}, "locked"), ({"due_at": OLD}, "behind"),
    ({"begun": True, "moved_at": NOW - timedelta(days=14)}, "stuck"), ({"begun": True, "moved_at": NOW - timedelta(days=13)}, "next"),
    ({"first": False}, "open"), ({"due_at": NOW + timedelta(1)}, "next"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "state"), STATES)
def test_the_state_of_a_rung(given, state):
    about = {"done": False, "locked": False, "first": True, "begun": False, "due_at": None, "moved_at": None}
    assert progress.state_of(**{**about, **given}, at=NOW) == state


def test_the_board_counts_and_the_lists_behind_it_agree(source):
    at = clock.now()
    for name, n in (("anna", 30), ("ben", 3), ("cleo", 0)):
        SupplierFactory(external_id=name, created_at=at - timedelta(days=20))
        if n:
            take(source, *(track("Client Active", who=name, client_id=f"c{k}", at=at) for k in range(n)), at=at)
    found = {level.milestone.key: level for level in board.board(board.Whom(), at=at).levels}
    took = board.days(board.Whom())
    assert [(found[key].reached, took[found[key].milestone.pk]) for key in ("first_client", "client_list")] == [(2, (20, 20, 20)), (1, (20, 20, 20))]
    assert (found["profile_complete"].next, found["profile_complete"].stalled) == (3, 1)
    cleo = Supplier.objects.get(external_id="cleo").pk
    far = Milestone.objects.create(pk=2**40, key="far", name="Far", requirement={"count": "clients", "at_least": 999}, active=False)
    Achievement.objects.create(supplier_id=cleo, milestone=far, achieved_at=at - timedelta(days=19), known_at=at)
    assert board.waiting_at("profile_complete", stalled=True, at=at) == [cleo]
    assert len(board.waiting_at("profile_complete", stalled=False, at=at)) == 3


def test_the_command_finds_and_grants_what_is_missing(source):
    take(source, track("Form Created", who="anna"), track("Form Completed", who="ben"))
    Achievement.objects.all().delete()
    out = io.StringIO()
    with pytest.raises(CommandError, match="2 missing"):
        call_command("reconcile_milestones", stdout=out)
    assert "first_form: anna" in out.getvalue() and "first_form_answered: ben" in out.getvalue()
    call_command("reconcile_milestones", "--milestone", "first_form", "--grant", "celebrate", stdout=out)
    assert not reached("anna")["first_form"].silent and not reached("ben")
    call_command("reconcile_milestones", "--grant", "silently", stdout=out)
    assert reached("ben")["first_form_answered"].silent
    call_command("reconcile_milestones", stdout=out)
    assert "Nothing is missing." in out.getvalue()
    with pytest.raises(CommandError, match="No such milestone"):
        call_command("reconcile_milestones", "--milestone", "nothing")
