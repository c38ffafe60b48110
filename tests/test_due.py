"""Due rows: claimed once, tried until done, fair, and nothing lost when a worker dies. Shown on deliveries, which go to subscribers of the test's own."""

import dataclasses
from datetime import timedelta
from threading import Thread

import pytest
from django.db import connection, transaction

from success import clock, due, events
from success.events import DELIVERIES
from success.models import Delivery, Event
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
    assert next(due.backlogs(at=at)).for_a_person == 1
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
    Delivery.objects.update(leased_until=NOW - timedelta(seconds=1))
    assert due.run(kind(), at=NOW) == {"taken over": 1, "accepted": 1}
    assert told() == 1


def test_of_what_may_have_crossed_the_network_nobody_guesses(db, subscribe):
    subscribe("tests.good", note)
    happen(SupplierFactory())
    network = kind(transactional=False)
    due.claim(network, at=NOW)
    Delivery.objects.update(leased_until=NOW - timedelta(seconds=1))
    assert due.run(network, at=NOW) == {"taken over": 1}
    assert Delivery.objects.get().state == State.UNKNOWN


def test_a_worker_whose_lease_ended_writes_over_nobody(db, subscribe):
    subscribe("tests.good", note)
    happen(SupplierFactory())
    [(key, attempt)] = due.claim(kind(), at=NOW)
    Delivery.objects.update(leased_until=NOW - timedelta(seconds=1))
    due.run(kind(), at=NOW)
    assert due.carry_out(kind(), key, attempt, at=NOW) == "lost"
    assert told() == 1


def test_a_flood_of_one_supplier_does_not_hold_up_the_others(db, subscribe):
    subscribe("tests.good", note)
    loud, quiet = SupplierFactory(), SupplierFactory()
    happen(*[loud] * 300, at=NOW - timedelta(minutes=5))
    happen(quiet)
    first = {key for key, _ in due.claim(kind(), at=NOW)}
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
            found.extend(key for key, _ in due.claim(kind(), at=NOW))
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
