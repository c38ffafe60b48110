"""Which changes of level are told: those that time or news made, never those that history made."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from health import assessments
from health.models import Assessment
from success import activity, clients
from success.models import Event, Supplier
from tests.factories import SourceFactory

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
FEATURES = ("Form Created", "Clients Imported", "Journey Created", "Template Used")


@pytest.fixture
def source(db):
    return SourceFactory()


@pytest.fixture
def sent(source):
    """Sends an event of Anna's: `sent("Signed In", days_ago=3)`; `late` days later than it happened."""

    def send(event, days_ago=0.0, late=0.0, **properties):
        at = AT - timedelta(days=days_ago)
        raw = msgspec.json.encode({"type": "track", "userId": "anna", "event": event, "timestamp": at.isoformat(), "properties": properties})
        activity.take([raw], kind=None, source=source, received_at=at + timedelta(days=late))

    return send


def told():
    return [(event.payload["previous"], event.payload["level"]) for event in Event.objects.filter(name="health.risk_changed").order_by("pk")]


def at_risk_by_sign_in(sent, days_ago):
    """20 points of sign-in, 25 of features: 45, and critical on the fourteenth day."""
    for event in (*FEATURES, "Signed In"):
        sent(event, days_ago=days_ago)


HISTORY = [("Page Viewed", {}), ("Form Started", {}), ("Client Active", {"client_id": "c1"})]


@pytest.mark.parametrize(("event", "properties"), HISTORY)
def test_a_fall_by_time_is_told_also_when_history_arrives_before_it_is_seen(sent, event, properties):
    at_risk_by_sign_in(sent, days_ago=7.02)
    assessments.assess(at=AT - timedelta(days=0.03))
    sent(event, days_ago=40, late=40)
    assessments.assess_touched(at=AT)
    assert told() == [(None, "at_risk"), ("at_risk", "critical")]


def test_a_client_that_leaves_the_window_is_time_too(sent):
    at_risk_by_sign_in(sent, days_ago=10)
    sent("Client Active", days_ago=29.98, late=19.98, client_id="c1")
    assessments.assess(at=AT - timedelta(hours=1))
    assert Assessment.objects.get().level == "at_risk"
    sent("Client Active", days_ago=50, late=50, client_id="c2")
    assessments.assess_touched(at=AT + timedelta(hours=1))
    assert told() == [(None, "at_risk"), ("at_risk", "critical")]


def test_a_fall_that_history_brought_is_not_told(sent):
    at_risk_by_sign_in(sent, days_ago=10)
    supplier = Supplier.objects.get()
    clients.put(supplier_id=supplier.pk, clients={"c1": AT - timedelta(days=9)}, at=AT - timedelta(days=9))
    assessments.assess_touched(at=AT - timedelta(days=1))
    clients.put(supplier_id=supplier.pk, clients={f"old{n}": AT - timedelta(days=300) for n in range(9)}, at=AT)
    assessments.assess_touched(at=AT)
    assert Assessment.objects.get().level == "critical"
    assert told() == [(None, "at_risk")]


def test_the_first_level_is_told_unless_history_gave_it(sent):
    sent("Signed In", days_ago=9, late=9)
    assessments.assess_touched(at=AT)
    assert told() == []


@pytest.mark.parametrize(("after", "expected"), [(1, []), (5, [("at_risk", "critical")])], ids=["as she left", "fallen meanwhile"])
def test_a_pause_forgets_no_level(sent, after, expected):
    at_risk_by_sign_in(sent, days_ago=6)
    assessments.assess_touched(at=AT - timedelta(days=6))
    for status, days in (("paused", 5), ("active", 5 - after)):
        Supplier.objects.update(status=status, changed_at=AT - timedelta(days=days))
        assessments.assess_touched(at=AT - timedelta(days=days) + timedelta(days=4 if after == 5 and status == "active" else 0))
    assert told() == [(None, "at_risk"), *expected]
