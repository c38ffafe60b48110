"""A supplier gets somewhere that matters: seen in the database, told exactly once, and never by history."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from milestones import achievements
from milestones.models import Achievement, Fault
from success import activity, clients, db, jobs
from success.models import Event, Source, Supplier
from tests.factories import SourceFactory

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
