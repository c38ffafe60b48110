"""The demo: believable, alive, and gone without a trace. One full load serves all tests of the module."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
import time_machine
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import RequestFactory, override_settings
from django_celery_beat.models import PeriodicTask

from config.local import demo
from config.local.demo import sarah, source, staff
from config.local.demo.days import events_of
from config.local.demo.loading import told
from config.local.demo.world import HISTORY, Life, days, lives
from health import assessments
from health.effective import STANDING
from health.models import Assessment, Snapshot
from health.scoring import WS142, Inputs, score
from milestones.models import Achievement, Threshold
from success import activity, db, keys
from success.models import Activity, Client, Contact, EventName, Facts, Source, Supplier
from tests.factories import SourceFactory

AT = datetime(2026, 11, 23, 15, 30, tzinfo=UTC)  # a Monday
FEATURES = {"Form Created": 0, "Clients Imported": 1, "Journey Created": 2, "Template Used": 3}


@pytest.fixture(scope="module")
def loaded(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> Iterator[dict[str, int]]:
    """The demo beside a real supplier, in a transaction of the module's own; gives the rows of each table before the load."""
    with django_db_blocker.unblock(), override_settings(DEBUG=True), transaction.atomic():
        send(SourceFactory(name="the real product"), "real-1", "an event of the real product only", at=AT - timedelta(days=3))
        assessments.assess_touched(at=AT)
        before = rows_of_tables()
        demo.load(at=AT)
        yield before
        transaction.set_rollback(True)


@pytest.fixture
def wedsync(loaded: dict[str, int]) -> Iterator[dict[str, int]]:
    """The loaded demo, as it was, for one test."""
    with override_settings(DEBUG=True), transaction.atomic():
        yield loaded
        transaction.set_rollback(True)


def send(sender: Source, supplier: str, event: str, *, at: datetime) -> None:
    body = {"type": "track", "userId": supplier, "event": event, "messageId": f"{supplier} {event}", "timestamp": at.isoformat()}
    receipt = activity.take([json.dumps(body).encode()], kind=None, source=sender, received_at=at)
    assert receipt.accepted == 1


def rows_of_tables() -> dict[str, int]:
    tables = [name for (name,) in db.rows("select tablename from pg_tables where schemaname = 'public' order by 1")]
    counts = {name: db.rows(f'select count(*) from "{name}"')[0][0] for name in tables}
    return {name: n for name, n in counts.items() if n}


def shares(levels: Counter[str]) -> dict[str, float]:
    return {level: n / sum(levels.values()) for level, n in levels.items()}


def believable(found: dict[str, float]) -> bool:
    return 0.45 <= found["healthy"] <= 0.65 and 0.20 <= found["at_risk"] <= 0.35 and 0.05 <= found["critical"] <= 0.15


# ---------------------------------------------------------------- on the day of loading


def test_levels_are_spread_as_in_a_real_product(wedsync: dict[str, int]) -> None:
    of_demo = Assessment.objects.filter(supplier__source=source.current())
    found = shares(Counter(of_demo.exclude(level=None).values_list("level", flat=True)))
    assert believable(found), found
    assert 1_900 <= of_demo.count() <= 2_100
    assert of_demo.filter(declining=True).count() > 50


def test_people_come_go_and_return(wedsync: dict[str, int]) -> None:
    suppliers = Supplier.objects.filter(source=source.current())
    assert suppliers.filter(status="cancelled").count() >= 30
    assert not Activity.objects.filter(supplier__status="cancelled", supplier__source=source.current()).extra(where=["occurred_at > cancelled_at"]).exists()
    assert 20 <= suppliers.filter(created_at__gt=AT - timedelta(days=7)).count() <= 30
    returned = suppliers.filter(status="active", status_changes__status="cancelled").distinct()
    assert returned.count() >= 5
    assert suppliers.filter(internal=True).exists() and suppliers.filter(status="paused").exists() and suppliers.filter(status="past_due").exists()


def test_people_have_names_and_addresses_that_reach_nobody(wedsync: dict[str, int]) -> None:
    contacts = list(Contact.objects.filter(supplier__source=source.current()).values_list("name", "email", "timezone", "supplier__custom"))
    assert not [name for name, *_ in contacts if not re.fullmatch(r"[^\W\d_][^\W\d_']+ [^\W\d_][^\d_]+", name)]
    assert not [email for _, email, *_ in contacts if not re.fullmatch(r"[a-z]+(\.[a-z]+)+@example\.(com|org|net)", email)]
    assert len({zone for _, _, zone, _ in contacts}) > 10
    assert all(custom["company"] for *_, custom in contacts)
    assert len({name for name, *_ in contacts}) > 1_000


def test_weekends_and_seasons_show(wedsync: dict[str, int]) -> None:
    by_weekday = """select extract(isodow from occurred_at)::int, count(*) from success_activity a join success_eventname e on e.id = a.event_id
        where e.name = %s group by 1"""
    sign_ins, visits = (dict(db.rows(by_weekday, [event])) for event in ("Signed In", "Client Active"))
    assert sign_ins[6] * 3 < sign_ins[2] and sign_ins[6] < sign_ins[7] < sign_ins[5]  # suppliers: little on Saturday, some on Sunday evening
    assert min(visits[6], visits[7]) > 1.5 * max(visits[day] for day in range(1, 6))  # couples
    by_month = """select extract(month from occurred_at)::int, count(*) from success_activity a join success_eventname e on e.id = a.event_id
        join success_facts f on f.supplier_id = a.supplier_id join success_contact c on c.supplier_id = a.supplier_id
        where e.name = 'Form Started' and f.known_since < %s and c.timezone like 'Europe/%%' group by 1"""
    months = dict(db.rows(by_month, [AT - HISTORY]))
    assert months[7] / 31 > 1.25 * months[11] / AT.day  # of those who were there all the time


def test_it_came_through_the_same_door_in_silence(wedsync: dict[str, int]) -> None:
    sent = Activity.objects.filter(source=source.current())
    assert sent.count() > 200_000
    assert not db.rows("select 1 from success_event e join success_supplier s on s.id = e.supplier_id where s.source_id = %s", [source.current().pk])
    assert not db.rows("select 1 from success_deadletter")
    assert set(EventName.objects.values_list("pk", flat=True)) >= set(sent.values_list("event", flat=True).distinct())
    assert not Facts.objects.filter(supplier__source=source.current()).exclude(dirty_at=None).exists()
    told_days = Snapshot.objects.filter(supplier__source=source.current()).values_list("day", flat=True).distinct()
    assert len(told_days) == 90


@pytest.mark.parametrize("day", ["2026-02-02T04", "2026-06-14T12", "2026-08-29T18", "2027-01-01T23"])
def test_levels_are_spread_so_whenever_it_is_loaded(day: str) -> None:
    at = datetime.fromisoformat(f"{day}:00+00:00")
    sample = lives(start=(at - HISTORY).date(), until=at.date())[::2]
    found = shares(Counter(level_of(life, at) for life in sample if life.here(at.date()) and life.created_at <= at and not life.internal))
    assert believable(found), found


def level_of(life: Life, at: datetime) -> str:
    messages = [message for day in days(life.known_from, at.date()) for message in events_of(life, day) if message.at <= at]
    recent = Counter(message.event for message in messages if message.at.date() > at.date() - timedelta(days=30))
    clients = {message.properties["client_id"]: message.at for message in sorted(messages, key=lambda message: message.at) if message.event == "Client Active"}
    inputs = Inputs(
        last_sign_in_at=max((message.at for message in messages if message.event == "Signed In"), default=None),
        features=sum({1 << FEATURES[message.event] for message in messages if message.event in FEATURES}),
        clients_active=sum(last >= at - timedelta(days=30) for last in clients.values()),
        clients_total=len(clients),
        forms_started=recent["Form Started"],
        forms_completed=recent["Form Completed"],
        steps_started=recent["Journey Step Started"],
        steps_completed=recent["Journey Step Completed"],
    )
    return score(WS142, inputs, at).level


# ---------------------------------------------------------------- it lives


def test_it_plays_on_from_its_last_event_and_counts_once(wedsync: dict[str, int]) -> None:
    later = AT + timedelta(days=2)
    before = Activity.objects.count()
    people = lives(start=(AT - HISTORY).date(), until=(later + timedelta(days=1)).date())
    due = [message for life in people for message in told(life, since=AT + timedelta(microseconds=1), until=later)]

    assert demo.play(at=AT + timedelta(minutes=1)) + demo.play(at=later - timedelta(days=1)) + demo.play(at=later) == len(due)
    assert Activity.objects.count() == before + sum(message.event is not None for message in due)
    assert demo.play(at=later) == 0
    assert Supplier.objects.filter(created_at__gt=AT).count() >= 4
    assert Supplier.objects.filter(source=source.current(), facts__last_sign_in_at__gt=AT).count() > 300


# ---------------------------------------------------------------- Sarah


def test_sarah_stands_where_the_brief_describes_her_at_each_start(wedsync: dict[str, int]) -> None:
    before = rows_of_tables()
    first = Supplier.objects.get(external_id="sarah")
    check_sarah(at=AT)
    send(SourceFactory(), "sarah", "Signed In", at=AT + timedelta(minutes=5))
    demo.start(at=AT + timedelta(minutes=10))
    assert Supplier.objects.get(external_id="sarah").pk != first.pk
    check_sarah(at=AT + timedelta(minutes=10))
    demo.play(at=AT + timedelta(minutes=10))
    after = rows_of_tables()
    assert {table: after[table] for table in ("success_supplier", "success_contact", "success_client")} == {
        table: before[table] for table in ("success_supplier", "success_contact", "success_client")
    }


def check_sarah(*, at: datetime) -> None:
    supplier = Supplier.objects.select_related("facts", "assessment").get(external_id="sarah")
    assert (supplier.vertical, supplier.status, (at - supplier.created_at).days) == ("photographer", "trial", 14)
    assert supplier.trial_ends_at > at
    assert supplier.facts.clients_total == 5
    assert (at - supplier.facts.last_sign_in_at).days == 9 and supplier.facts.last_activity_at < at - timedelta(days=9)
    assert dict(db.rows("select e.name, u.n from success_eventuse u join success_eventname e on e.id = u.event_id where supplier_id = %s", [supplier.pk])) == {
        "Signed In": 4, "$last_sign_in_at": 1, "Page Viewed": 5, "Clients Imported": 1, "Client Active": 5, "Form Created": 1,
    }  # fmt: skip
    assert (supplier.assessment.score, supplier.assessment.level) == (47.5, "at_risk")  # 10 + 12.5 + 25
    assert Contact.objects.get(supplier=supplier).name.startswith("Sarah ")


def test_it_is_known_how_each_of_them_stood(wedsync: dict[str, int]) -> None:
    """The portfolio reads the past from there."""
    said = dict(Assessment.objects.filter(supplier__source__is_demo=True).values_list("supplier", "stood"))
    last = dict(db.rows(f"select distinct on (supplier_id) supplier_id, {STANDING} from health_snapshot h order by supplier_id, day desc"))
    assert said == {pk: last.get(pk, "ended") for pk in Supplier.objects.filter(source__is_demo=True).values_list("pk", flat=True)}
    assert len(said) > 1000 and set(said.values()) == {"critical", "at_risk", "healthy", "ended"}


def test_every_rung_that_counts_has_been_reached_by_some(wedsync: dict[str, int]) -> None:
    """The board of milestones shows nobody what nobody ever reached; those that take months have not had the time."""
    reached = Counter(Achievement.objects.filter(supplier__source__is_demo=True).values_list("milestone__key", flat=True))
    rungs = set(Threshold.objects.filter(whole=True).values_list("milestone__key", flat=True))
    assert {key for key in rungs if reached[key] < 10} == set()
    assert 20 <= reached["client_list"] <= 120


def test_a_real_sarah_is_left_alone(wedsync: dict[str, int]) -> None:
    Supplier.objects.filter(external_id=sarah.ID).update(source=Source.objects.get(name="the real product"))
    before = Supplier.objects.get(external_id=sarah.ID)
    demo.start(at=AT + timedelta(hours=1))
    assert Supplier.objects.get(external_id=sarah.ID).pk == before.pk


# ---------------------------------------------------------------- away with it


def test_removal_takes_exactly_the_demos_rows(wedsync: dict[str, int]) -> None:
    demo.start(at=AT + timedelta(days=1))
    sender = Source.objects.get(name="the real product")
    send(sender, "real-1", "Signed In", at=AT)
    Supplier.objects.filter(external_id="real-1").update(owner_id=staff.ours()[0])
    real = Supplier.objects.get(external_id="real-1")
    some = Supplier.objects.filter(source=source.current()).first()
    send(sender, some.external_id, "Signed In", at=AT)  # about a supplier of the demo: goes with it
    counted = demo.count(at=AT + timedelta(days=2))

    out = StringIO()
    with time_machine.travel(AT + timedelta(days=2), tick=False):
        call_command("demo", "remove", "--yes", stdout=out)
    expected = {"success_activity": 1, activity_partition(): 1, "success_messagekey": 1, "success_dailyuse": 1, "success_eventuse": 1}
    assert rows_of_tables() == {table: n + expected.get(table, 0) for table, n in wedsync.items()}
    assert f"{counted['success_activity']:>10,}  success_activity" in out.getvalue()
    assert f"Removed {sum(counted.values()):,} rows" in out.getvalue()
    assert Facts.objects.get(supplier=real).last_sign_in_at == AT
    assert not demo.is_in() and demo.play(at=AT + timedelta(days=2)) == 0 and not demo.count(at=AT)


def activity_partition() -> str:
    return f"success_activity_{AT:%Y_%m}"


def test_removal_asks_first(wedsync: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", StringIO("no\n"))
    before, out = rows_of_tables(), StringIO()
    with time_machine.travel(AT, tick=False):
        call_command("demo", "remove", stdout=out)
    assert "Nothing was removed" in out.getvalue() and rows_of_tables() == before


def test_a_load_that_died_is_not_taken_for_the_demo(wedsync: dict[str, int]) -> None:
    Source.objects.filter(is_demo=True).update(name=source.LOADING)
    assert not demo.is_in() and demo.play(at=AT) == 0
    demo.remove(at=AT)  # what the next load does first
    assert rows_of_tables() == wedsync


# ---------------------------------------------------------------- where it may not be, and how it starts


@pytest.mark.parametrize("action", ["load", "play", "remove"])
def test_commands_refuse_with_debug_off(action: str) -> None:
    with override_settings(DEBUG=False), pytest.raises(CommandError, match="DEBUG is off"):
        call_command("demo", action)


def test_it_never_loads_with_debug_off() -> None:
    with override_settings(DEBUG=False), pytest.raises(demo.NotHere):
        demo.load(at=AT)
    with override_settings(DEBUG=False), pytest.raises(CommandError):
        call_command("prepare_local")


def test_one_at_a_time(wedsync: dict[str, int]) -> None:
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("select pg_advisory_lock(%s)", [source.LOCK])
    with pytest.raises(demo.Busy):
        demo.play(at=AT)
    other.close()


def test_preparing_a_local_stack(wedsync: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    key = "cs_" + "k" * 40
    for name, value in {"LOCAL_ADMIN_USER": "admin", "LOCAL_ADMIN_PASSWORD": "a-password-of-this-checkout", "LOCAL_API_KEY": key}.items():
        monkeypatch.setenv(name, value)
    for hours in (1, 2):  # twice is as once
        out = StringIO()
        with override_settings(DEMO=True), time_machine.travel(AT + timedelta(hours=hours), tick=False):
            call_command("prepare_local", stdout=out)
    sign_in = json.loads(out.getvalue())["sign_in"]
    assert [person["role"] for person in sign_in] == ["success manager", "success manager", "lead", "administrator"]
    for person in sign_in:
        user = authenticate(RequestFactory().post("/"), username=person["user"], password=person["password"])
        assert user is not None and user.is_staff and [group.name for group in user.groups.all()] == [person["role"]]
    access = keys.verify(key, at=AT)
    assert access is not None and access.scopes == {"ingest", "read", "write", "admin"}
    assert PeriodicTask.objects.get(name="demo.play").interval.every == 60
    assert Facts.objects.filter(last_activity_at__gt=AT + timedelta(hours=1)).exists()
    assert Client.objects.filter(supplier__external_id="sarah").count() == 5
