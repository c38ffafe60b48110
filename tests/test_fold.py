"""What the triggers count, in whatever order and batches it comes, is what a recount gives."""

import io
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from success import activity, catalogue, clients, db, metrics, reconcile, suppliers
from success.models import Client, EventName, Facts, Feature, Source
from tests.factories import SourceFactory, SupplierFactory
from tests.histories import NOW, SUPPLIERS, Happening, happenings, once, record, times

PROPERTY = settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None)

batches = st.lists(st.lists(happenings, min_size=1, max_size=12), min_size=1, max_size=5)


class Crash(Exception):
    """A process dies before its commit."""


class Undone(Exception):
    """The example is over."""


@pytest.fixture
def source(db: None) -> Source:
    activity.ensure_partitions(now=NOW)
    EventName.objects.create(name="Something Else")
    return SourceFactory(name="product")


@pytest.fixture
def people(source: Source) -> dict[str, int]:
    """Suppliers known from the start: when one is first seen would depend on the order."""
    return {name: SupplierFactory(external_id=name).pk for name in SUPPLIERS}


class example:
    """One example in a transaction that is rolled back."""

    def __enter__(self) -> None:
        self.atomic = transaction.atomic()
        self.atomic._from_testcase = True  # so that an operation with transactions of its own may run
        self.atomic.__enter__()

    def __exit__(self, *error: object) -> None:
        if error[0] is None:
            transaction.set_rollback(True)
        self.atomic.__exit__(*error)
        catalogue.forget()


def crash(batch: list[Happening], source: Source) -> None:
    with pytest.raises(Crash), transaction.atomic():
        record(batch, source)
        raise Crash


def age_all(people: dict[str, int], at=NOW) -> None:
    ids = sorted(people.values())
    reconcile.lock(ids)
    metrics.age(ids, at=at)


def wrong(people: dict[str, int]) -> list[reconcile.Difference]:
    return reconcile.differences(sorted(people.values()))


def stored(people: dict[str, int]) -> tuple[object, ...]:
    """All that must not depend on order and batches; clients by their names, since their keys do."""
    use = [
        sorted(db.rows(f"select supplier_id, event_id, {day}n, first_at, last_at from success_{table}"), key=str)
        for table, day in (("dailyuse", "day, "), ("eventuse", ""))
    ]
    facts = sorted(Facts.objects.values_list("supplier_id", *reconcile.COUNTED))
    own = sorted(Client.objects.values_list("supplier_id", "external_id", "first_known_at", "last_activity_at", "archived_at"), key=str)
    days = db.rows(
        "select c.supplier_id, c.external_id, d.day, d.first_at, d.last_at, d.archived from success_clientday d join success_client c on c.id = d.client_id"
    )
    return *use, facts, own, sorted(days, key=str)


def shuffled(sent: list[Happening], data: st.DataObject) -> Iterator[list[Happening]]:
    """The same messages in another order and other batches, some of them again."""
    order = data.draw(st.permutations(sent + sent[: len(sent) // 3]))
    while order:
        size = data.draw(st.integers(1, len(order)))
        yield order[:size]
        order = order[size:]


@PROPERTY
@given(history=batches, crashes=st.sets(st.integers(0, 4)), ages=st.sets(st.integers(0, 4)), data=st.data())
def test_any_order_batches_repeats_and_crashes_fold_to_what_a_recount_gives(source, people, history, crashes, ages, data):
    flat = once([one for batch in history for one in batch])
    results = []
    sizes = [len(batch) for batch in history]
    first = [flat[sum(sizes[:n]) : sum(sizes[: n + 1])] for n in range(len(sizes))]
    for way in (first, list(shuffled(flat, data))):
        with example():
            taken = 0
            for n, batch in enumerate(way):
                if n in crashes:
                    crash(batch, source)
                if n in ages:
                    age_all(people, NOW - timedelta(days=len(way) - n))
                taken += record(batch, source)
                assert record(batch, source) == 0
            assert taken == len({one.message for one in flat})
            assert wrong(people) == []
            age_all(people)
            assert wrong(people) == []
            results.append(stored(people))
    assert results[0] == results[1]


puts = st.tuples(st.just("put"), st.sampled_from(SUPPLIERS), st.dictionaries(st.sampled_from(["c1", "c2", "c3"]), st.none() | times, min_size=1))
archivings = st.tuples(st.just("archive"), st.sampled_from(SUPPLIERS), st.sampled_from(["c1", "c2", "c3"]))
events = st.tuples(st.just("events"), st.lists(happenings, min_size=1, max_size=8), st.booleans())
passing = st.tuples(st.just("age"), st.integers(0, 40 * 86_400))
traits = st.tuples(
    st.just("traits"),
    st.sampled_from(SUPPLIERS),
    st.fixed_dictionaries({}, optional={"status": st.sampled_from(["active", "cancelled", "paused"]), "created_at": times}),
)
removals = st.tuples(st.just("remove"), st.sampled_from(SUPPLIERS), st.sampled_from(["c1", "c2"]))


@PROPERTY
@given(steps=st.lists(puts | archivings | events | passing | traits | removals, max_size=14))
def test_whoever_writes_the_facts_are_what_a_recount_gives(source, people, steps):
    known: dict[int, Happening] = {}
    sources = [source, SourceFactory()]
    with example():
        clock = NOW
        for step in steps:
            clock += timedelta(seconds=7)
            match step:
                case "put", name, own:
                    clients.put(supplier_id=people[name], clients=own, at=clock)
                case "archive", name, client:
                    clients.archive(supplier_id=people[name], client=client, at=clock)
                case "events", batch, other:
                    record([known.setdefault(one.message, one) for one in batch], sources[other], clock)
                case "age", seconds:
                    age_all(people, max(NOW - timedelta(seconds=seconds), NOW))
                    clock += timedelta(seconds=seconds)
                    age_all(people, clock)
                case "traits", name, values:
                    suppliers.update(suppliers.lock([people[name]])[people[name]], values, at=clock)
                case "remove", name, client:
                    # A removed client's past is gone with it; raw activity would make it known again.
                    if not any(one.client == client and one.supplier == name for one in known.values()):
                        Client.objects.filter(supplier=people[name], external_id=client).delete()
        assert wrong(people) == []


BREAKS = [
    ("update success_facts set forms_started = forms_started + 1 where supplier_id = %s", "facts forms_started"),
    ("update success_facts set features = features | 8 where supplier_id = %s", "facts features"),
    ("update success_facts set last_sign_in_at = null where supplier_id = %s", "facts last_sign_in_at"),
    ("update success_facts set first_activity_at = first_activity_at + interval '1 microsecond' where supplier_id = %s", "facts first_activity_at"),
    ("update success_facts set clients_active = 0 where supplier_id = %s", "facts clients_active"),
    ("update success_facts set clients_total = 7 where supplier_id = %s", "facts clients_total"),
    ("update success_facts set in_service = false where supplier_id = %s", "facts in_service"),
    ("update success_facts set oldest_active_at = null where supplier_id = %s", "facts oldest_active_at"),
    ("update success_dailyuse set n = n + 1 where supplier_id = %s", "dailyuse 2026-11-20"),
    ("delete from success_dailyuse where supplier_id = %s", "dailyuse 2026-11-20"),
    (
        "insert into success_dailyuse (supplier_id, day, event_id, n, first_at, last_at) "
        "select supplier_id, day - 9, event_id, n, first_at, last_at from success_dailyuse where supplier_id = %s limit 1",
        "dailyuse 2026-11-11",
    ),
    ("update success_eventuse set last_at = last_at - interval '1 second' where supplier_id = %s", "eventuse"),
    ("delete from success_eventuse where supplier_id = %s", "eventuse"),
    (
        "insert into success_eventuse (supplier_id, event_id, n, first_at, last_at) "
        "select supplier_id, 4711, n, first_at, last_at from success_eventuse where supplier_id = %s limit 1",
        "eventuse 4711",
    ),
    ("delete from success_client where supplier_id = %s", "client missing"),
    ("update success_client set last_activity_at = last_activity_at - interval '1 hour' where supplier_id = %s", "client "),
    ("delete from success_clientday where supplier_id = %s", "clientday"),
]


def day_of(name: str) -> list[Happening]:
    at = NOW - timedelta(hours=2)
    said = ["Signed In", "Form Created", "Form Started", "Form Started", "Form Completed", "Client Active"]
    return [
        Happening(hash(name) % 1000 * 10 + n, name, event, at + timedelta(minutes=n), "c1" if event == "Client Active" else None)
        for n, event in enumerate(said)
    ]


@pytest.mark.parametrize(("sql", "column"), BREAKS)
def test_a_wrong_counter_is_found_and_put_right(source, people, sql, column):
    record(day_of("anna") + day_of("ben"), source)
    right = stored(people)
    assert wrong(people) == []
    assert db.execute(sql, [people["anna"]])
    found = wrong(people)
    assert any(one.column.startswith(column) for one in found), found
    assert {one.supplier for one in found} == {people["anna"]}
    assert reconcile.put_right(sorted(people.values()), at=NOW)
    assert wrong(people) == []
    assert stored(people)[:3] == right[:3]


def test_the_command_says_what_differs_and_puts_it_right(source, people):
    record(day_of("anna") + day_of("ben"), source)
    assert call("reconcile_facts") == "No difference.\n"
    db.execute("update success_facts set forms_completed = 5 where supplier_id = %s", [people["anna"]])
    out = io.StringIO()
    with pytest.raises(CommandError, match="1 differences") as error:
        call_command("reconcile_facts", supplier=["anna"], stdout=out)
    assert error.value.returncode == 1
    assert out.getvalue() == "anna: facts forms_completed: stored 5, counted 1\n"
    assert call("reconcile_facts", supplier=["ben"]) == "No difference.\n"
    assert "1 differences put right" in call("reconcile_facts", fix=True)
    assert call("reconcile_facts", fix=True) == "No difference.\n"
    with pytest.raises(CommandError, match="No such supplier: nobody"):
        call("reconcile_facts", supplier=["nobody"])


def call(name: str, **options) -> str:
    out = io.StringIO()
    call_command(name, stdout=out, **options)
    return out.getvalue()


def test_roll_ups_of_months_that_are_gone_stand(source, people):
    record(day_of("anna"), source)
    with connection.cursor() as cursor:  # as after retention: the raw rows are gone, and the oldest partition is younger than the source
        cursor.execute("select success_make_partitions(%s, %s)", [NOW, NOW])
        cursor.execute("select relname from pg_inherits i join pg_class c on c.oid = i.inhrelid where inhparent = 'success_activity'::regclass")
        for (name,) in cursor.fetchall():
            cursor.execute(f"drop table {name}")
        cursor.execute("select success_make_partitions(%s, %s)", [NOW + timedelta(days=40), NOW + timedelta(days=40)])
    Source.objects.update(created_at=NOW - timedelta(days=100))
    catalogue.forget()
    assert wrong(people) == []
    later = NOW + timedelta(days=41)
    record([Happening(9000, "anna", "Form Started", later, None), Happening(9001, "anna", "Form Started", NOW - timedelta(days=1), None)], source, later)
    assert wrong(people) == []
    db.execute("update success_dailyuse set n = 3 where day = %s", [later.date()])
    assert next(one.column for one in wrong(people)).startswith(f"dailyuse {later.date()}")


# ---------------------------------------------------------------- a changed meaning


MEANINGS = [
    ("Something Else", "feature", "templates_used", {"features": 0b1001}),
    ("Form Created", "none", None, {"features": 0b0}),
    ("Form Created", "feature", "journeys_created", {"features": 0b0100}),
    ("Something Else", "sign_in", None, {"last_sign_in_at": NOW - timedelta(hours=1)}),
    ("Signed In", "none", None, {"last_sign_in_at": None}),
    ("Something Else", "form_completed", None, {"forms_completed": 2}),
    ("Form Started", "step_started", None, {"forms_started": 0, "steps_started": 2}),
    ("Something Else", "client_active", None, {"clients_total": 2, "clients_active": 2}),
]


@pytest.mark.parametrize(("name", "meaning", "feature", "expected"), MEANINGS)
def test_a_changed_meaning_holds_for_all_that_ever_happened(source, people, name, meaning, feature, expected):
    record([*day_of("anna"), Happening(5000, "anna", "Something Else", NOW - timedelta(hours=1), "c9")], source)
    Facts.objects.update(dirty_at=None)
    changed = catalogue.change_meaning(name=name, meaning=meaning, feature=Feature.objects.filter(key=feature).first(), at=NOW)
    facts = Facts.objects.get(pk=people["anna"])
    assert changed >= 1
    assert {column: getattr(facts, column) for column in expected} == expected
    assert (facts.dirty_at, facts.dirty_quiet) == (NOW, True)
    assert Facts.objects.get(pk=people["ben"]).dirty_at is None
    assert wrong(people) == []
    record([Happening(5001, "anna", name, NOW, None)], source)
    assert wrong(people) == []


@PROPERTY
@given(history=st.lists(happenings, min_size=1, max_size=25), change=st.sampled_from(MEANINGS))
def test_a_changed_meaning_gives_what_it_would_always_have_given(source, people, history, change):
    name, meaning, feature, _ = change
    flat = once(history)
    results = []
    for before in (True, False):
        with example():
            if before:
                change_to(name, meaning, feature)
            record(flat, source)
            if not before:
                change_to(name, meaning, feature)
            assert wrong(people) == []
            use, ever, facts, own, _ = stored(people)
            # A client made known by the old meaning stays known.
            results.append((len(use), len(ever), facts, own) if name != "Client Active" else (len(use), len(ever)))
    assert results[0] == results[1]


def change_to(name: str, meaning: str, feature: str | None) -> None:
    catalogue.change_meaning(name=name, meaning=meaning, feature=Feature.objects.filter(key=feature).first(), at=NOW)


def test_a_meaning_can_be_given_before_the_event_was_ever_seen(source, people):
    assert catalogue.change_meaning(name="Quiz Taken", meaning="form_completed", feature=None, at=NOW) == 0
    record([Happening(1, "anna", "Quiz Taken", NOW, None)], source)
    assert Facts.objects.get(pk=people["anna"]).forms_completed == 1
    assert EventName.objects.get(name="Quiz Taken").kept == ["client_id", "count", "page"]
