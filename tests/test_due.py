"""Due rows: claimed once, tried until done, fair, and nothing lost when a worker dies. Shown on deliveries, which go to subscribers of the test's own."""

import dataclasses
import time
from datetime import timedelta
from threading import Thread

import pytest
from django.db import connection, transaction

from success import clock, due, events
from success.events import DELIVERIES
from success.models import Delivery, Event, Supplier
from success.models.due import State
from tests.factories import StaffFactory, SupplierFactory

NOW = clock.now()


@dataclasses.dataclass(frozen=True)
class Happened(events.Fact):
    """Something of the test's."""

    name = "tests.happened"


@pytest.fixture
def subscribe():
    """Subscribers of the test, gone after it."""
    before = dict(events._subscriptions)

    def one(by, handle):
        events.subscribe(Happened.name, by=by, handle=handle)

    yield one
    events._subscriptions.clear()
    events._subscriptions.update(before)


def note(*, event, at):
    Event.objects.create(name="tests.told", supplier_id=event.supplier_id, at=at, payload={"event": event.pk})


def told():
    return Event.objects.filter(name="tests.told").count()


def fail(*, event, at):
    note(event=event, at=at)
    raise ValueError("the subscriber's own fault")


def happen(*suppliers, at=NOW):
    with transaction.atomic():
        events.publish_all([(supplier.pk, Happened()) for supplier in suppliers], at=at)


def lease_ends():
    """Whoever held a row has died, and some time has passed."""
    Delivery.objects.filter(leased_until__isnull=False).update(leased_until=NOW - timedelta(seconds=1))


def kind(**changes):
    return dataclasses.replace(due.registered()[DELIVERIES], **changes)


def test_each_subscriber_is_told_once_and_one_that_fails_delays_no_other(db, subscribe):
    subscribe("tests.good", note)
    subscribe("tests.bad", fail)
    sarah, ben = SupplierFactory(), SupplierFactory()
    happen(sarah, ben)
    due.run(kind(), at=NOW)
    assert told() == 2  # what the failing one wrote went with its transaction
    assert {(row.subscriber, row.state, row.attempts) for row in Delivery.objects.all()} == {("tests.good", "accepted", 1), ("tests.bad", "queued", 1)}
    bad = Delivery.objects.filter(subscriber="tests.bad").first()
    assert bad.due_at > NOW and "ValueError" in bad.error and "own fault" in bad.error
    due.run(kind(), at=NOW)
    assert told() == 2


def test_what_fails_too_often_needs_a_person_who_can_bring_it_back_or_drop_it(db, subscribe):
    subscribe("tests.bad", fail)
    happen(SupplierFactory())
    at = NOW
    for _ in range(3):
        due.run(kind(attempts=3), at=at)
        at += timedelta(hours=2)
    row = Delivery.objects.get()
    assert row.state == State.REFUSED and row.needs_a_person and row.attempts == 3
    assert {one.kind: one.for_a_person for one in due.backlogs(at=at)}[DELIVERIES] == 1
    subscribe("tests.bad", note)
    due.again(row, at=at)
    due.run(kind(), at=at)
    row.refresh_from_db()
    assert row.state == State.ACCEPTED and row.error == "" and row.ended_at is not None
    with pytest.raises(due.NotWaiting):
        due.drop(row, reason="too late", by=StaffFactory(), at=at)


def test_a_dead_workers_rows_are_done_by_another(db, subscribe):
    subscribe("tests.good", note)
    happen(SupplierFactory())
    assert len(due.claim(kind(), at=NOW)) == 1  # and the worker dies
    assert due.run(kind(), at=NOW) == {}
    lease_ends()
    assert due.run(kind(), at=NOW) == {"accepted": 1}
    assert told() == 1


def test_of_what_may_have_crossed_the_network_nobody_guesses(db, subscribe):
    subscribe("tests.good", note)
    happen(SupplierFactory())
    network = kind(transactional=False)
    held = due.begin(network, due.claim(network, at=NOW)[0], at=NOW)
    lease_ends()
    assert due.run(network, at=NOW) == {"taken over": 1}
    row = Delivery.objects.get()
    assert row.state == State.UNKNOWN and row.needs_a_person and row.attempts == 1
    assert held is not None and told() == 0


def test_a_worker_whose_lease_ended_writes_over_nobody(db, subscribe):
    subscribe("tests.good", note)
    happen(SupplierFactory())
    [held] = due.claim(kind(), at=NOW)
    lease_ends()
    due.run(kind(), at=NOW)
    assert due.carry_out(kind(), held, at=NOW) == "lost"
    assert told() == 1


def test_a_flood_of_one_supplier_does_not_hold_up_the_others(db, subscribe):
    subscribe("tests.good", note)
    loud, quiet = SupplierFactory(), SupplierFactory()
    happen(*[loud] * 300, at=NOW - timedelta(minutes=5))
    happen(quiet)
    first = {held.key for held in due.claim(kind(), at=NOW)}
    assert Delivery.objects.get(supplier=quiet).pk in first and len(first) == 100


def test_two_workers_never_have_the_same_row(committed, subscribe):
    subscribe("tests.good", note)
    happen(*[SupplierFactory() for _ in range(150)])
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("select id from success_delivery order by due_at, id limit 30 for update")
            held = {key for (key,) in cursor.fetchall()}
        found: list[int] = []

        def other():
            found.extend(held.key for held in due.claim(kind(), at=NOW))
            connection.close()

        worker = Thread(target=other)
        worker.start()
        worker.join()
    assert len(found) == 100 and not held & set(found)


def test_an_event_is_published_with_what_made_it_true_or_not_at_all(db, subscribe):
    subscribe("tests.good", note)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        events.publish(Happened(), supplier=SupplierFactory().pk, at=NOW)
        raise ZeroDivisionError
    assert not Event.objects.exists() and not Delivery.objects.exists()


def test_a_subscriber_that_is_gone_leaves_its_deliveries_to_a_person(db, subscribe):
    subscribe("tests.gone", note)
    happen(SupplierFactory())
    del events._subscriptions[Happened.name, "tests.gone"]
    due.run(kind(), at=NOW)
    assert Delivery.objects.get().state == State.REFUSED


# ---------------------------------------------------------------- a worker dies, at each step, twice


def dies_in_hand(of_kind):
    [_] = due.claim(of_kind, at=NOW)


def dies_when_begun(of_kind):
    [held] = due.claim(of_kind, at=NOW)
    assert due.begin(of_kind, held, at=NOW)


def dies_in_the_work(of_kind):
    """Before the commit: the connection is gone, and with it the transaction; what is outside the database has happened."""
    [held] = due.claim(of_kind, at=NOW)

    def half(row, *, at):
        CALLS.append(row.pk)
        note(event=row.event, at=at)
        raise SystemExit

    with pytest.raises(SystemExit), transaction.atomic():
        due.carry_out(dataclasses.replace(of_kind, carry_out=half), held, at=NOW)
    if not of_kind.transactional:
        due.begin(of_kind, held, at=NOW)  # which had been committed by itself


CALLS: list[int] = []


@pytest.mark.parametrize("transactional", [True, False])
@pytest.mark.parametrize("first", [dies_in_hand, dies_when_begun, dies_in_the_work])
@pytest.mark.parametrize("second", [dies_in_hand, dies_when_begun, dies_in_the_work])
def test_whatever_a_worker_dies_of_twice_nothing_is_lost_and_nothing_doubled(db, subscribe, transactional, first, second):
    CALLS.clear()
    subscribe("tests.good", note)
    happen(SupplierFactory())
    of_kind = kind(transactional=transactional)
    for dies in (first, second):
        if due.claim(of_kind, at=NOW) and Delivery.objects.update(leased_until=None):  # it is free: not so where nobody knows
            dies(of_kind)
            lease_ends()
            due.take_over(of_kind, at=NOW - timedelta(hours=1))
    due.run(of_kind, at=NOW)
    row = Delivery.objects.get()
    if transactional:
        assert row.state == State.ACCEPTED and told() == 1
    else:
        begun = first is not dies_in_hand or second is not dies_in_hand
        assert row.state == (State.UNKNOWN if begun else State.ACCEPTED)
        assert told() == (0 if begun else 1) and len(CALLS) <= 1


def test_a_row_that_kills_its_workers_takes_no_other_with_it(db, subscribe):
    """Of a batch that dies with its worker only the row that was begun has an attempt, once it is known that one of them kills."""
    subscribe("tests.good", note)
    happen(*[SupplierFactory() for _ in range(5)])
    poison, at = Delivery.objects.order_by("pk")[2].pk, NOW
    for _ in range(12):
        for held in due.claim(kind(attempts=3), at=at):
            if held.key == poison:
                if held.left:
                    due.begin(kind(), held, at=NOW)
                break  # dead
            due.carry_out(kind(), held, at=at)
        lease_ends()
        due.take_over(kind(attempts=3), at=at)
        at += timedelta(hours=1)
    assert dict(Delivery.objects.values_list("pk", "state")) == {row.pk: "refused" if row.pk == poison else "accepted" for row in Delivery.objects.all()}
    assert told() == 4 and Delivery.objects.get(pk=poison).error == "The worker died."


# ---------------------------------------------------------------- what would hold up everything behind it


@pytest.mark.parametrize("words", ["a\0b", "\ud800", "x" * 100_000])
def test_an_error_the_database_would_not_take_is_taken(db, subscribe, words):
    subscribe("tests.good", note)
    happen(SupplierFactory())
    assert due.run(kind(carry_out=lambda row, *, at: due.Refused(words)), at=NOW) == {"refused": 1}
    assert 1 <= len(Delivery.objects.get().error) <= due.MOST_WORDS


@pytest.mark.parametrize("outcome", [due.Later(NOW - timedelta(days=1), "not yet"), due.Retry("at once", after=timedelta(0))])
def test_what_is_put_off_to_the_past_is_not_done_over_and_over(db, subscribe, outcome):
    subscribe("tests.good", note)
    happen(SupplierFactory())
    assert due.run(kind(carry_out=lambda row, *, at: outcome), at=NOW) == {"queued": 1}


def test_a_row_may_not_be_begun_that_has_become_unfit_in_hand(db, subscribe):
    subscribe("tests.good", note)
    happen(SupplierFactory())
    network = kind(transactional=False, also="exists (select 1 from success_supplier s where s.id = d.supplier_id and s.status <> 'cancelled')")
    [held] = due.claim(network, at=NOW)
    Supplier.objects.update(status="cancelled")
    assert due.carry_out(network, held, at=NOW) == "lost"
    assert told() == 0 and due.claim(network, at=NOW) == []
    assert Delivery.objects.get().state == State.QUEUED


def test_rows_that_may_not_be_claimed_do_not_stand_before_those_that_may(db, subscribe):
    subscribe("tests.good", note)
    barred, ben = SupplierFactory(status="paused"), SupplierFactory()
    happen(*[barred] * 50, at=NOW - timedelta(minutes=1))
    happen(ben)
    narrow = kind(batch=2, also="exists (select 1 from success_supplier s where s.id = d.supplier_id and s.status <> 'paused')")  # looks at 40
    assert due.run(narrow, at=NOW) == {"accepted": 1}


def test_a_person_drops_or_repeats_what_a_worker_has_in_hand(db, subscribe):
    subscribe("tests.good", note)
    happen(SupplierFactory())
    for act, state in ((lambda row: due.again(row, at=NOW), "accepted"), (lambda row: due.drop(row, reason="no", by=StaffFactory(), at=NOW), "dropped")):
        Delivery.objects.update(state="queued", leased_until=None)
        [held] = due.claim(kind(), at=NOW)
        act(Delivery.objects.get())
        assert due.carry_out(kind(), held, at=NOW) == "lost"
        due.run(kind(), at=NOW)
        assert Delivery.objects.get().state == state
    assert told() == 1


def test_late_word_settles_what_was_unknown_unless_a_person_has_asked_for_it_again(db, subscribe):
    subscribe("tests.good", note)
    network = kind(transactional=False)
    for again, state in ((False, "accepted"), (True, "queued")):
        Delivery.objects.all().delete()
        happen(SupplierFactory())
        held = due.begin(network, due.claim(network, at=NOW)[0], at=NOW)
        lease_ends()
        held = dataclasses.replace(held, token=Delivery.objects.get().leased_until)
        due.take_over(network, at=NOW)
        if again:
            due.again(Delivery.objects.get(), at=NOW)
        due.record(network, held, due.Accepted(), at=NOW)
        assert Delivery.objects.get().state == state


def test_a_run_out_of_patience_frees_what_it_has_not_begun(db, subscribe):
    subscribe("tests.good", note)
    happen(*[SupplierFactory() for _ in range(3)])

    def slow(row, *, at):
        time.sleep(1)
        return due.Accepted()

    assert due.run(kind(carry_out=slow), at=NOW, patience=0.9) == {"accepted": 1}
    assert Delivery.objects.filter(state="queued", leased_until=None, attempts=0).count() == 2


def test_a_broker_that_is_away_is_waited_for_once(monkeypatch):
    tried = []

    def away(*_, **__):
        tried.append(1)
        raise ConnectionError

    monkeypatch.setattr(due, "_silent_until", 0.0)
    monkeypatch.setattr(due.current_app, "send_task", away)
    for _ in range(50):
        due.ask(DELIVERIES)
    assert tried == [1]


def test_what_a_worker_has_in_hand_is_counted_as_being_done(db, subscribe):
    subscribe("tests.good", note)
    happen(*[SupplierFactory() for _ in range(3)], at=NOW - timedelta(minutes=1))
    due.claim(kind(batch=2), at=NOW)
    [found] = [backlog for backlog in due.backlogs(at=NOW) if backlog.kind == DELIVERIES]
    assert (found.due, found.claimed, found.later, found.for_a_person) == (1, 2, 0, 0) and found.oldest == 60
