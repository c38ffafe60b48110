"""A level that a person sets, until it ends by itself."""

from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import msgspec
import pytest
from django.contrib.auth.models import Group
from django.db import connection

from health import assessments, current, overrides, summary
from health.models import Override
from success import activity, listing
from success.models import Event
from tests.factories import SourceFactory, StaffFactory, SupplierFactory

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
UNTIL = AT + timedelta(days=14)


def colleague(role, **about):
    user = StaffFactory(**about)
    user.groups.add(Group.objects.get(name=role))
    return user


@pytest.fixture
def maya(db):
    return colleague("success manager")


def critical(**about):
    """Sarah, who signed in once and did no more."""
    sarah = SupplierFactory(external_id="sarah", **about)
    message = {"type": "track", "userId": "sarah", "event": "Signed In", "timestamp": (AT - timedelta(days=5)).isoformat()}
    activity.take([msgspec.json.encode(message)], kind=None, source=SourceFactory(), received_at=AT - timedelta(days=5))
    assessments.assess(at=AT)
    return sarah


@pytest.fixture
def sarah(maya):
    return critical(owner=maya)


def set_level(supplier, by, level="healthy", until=UNTIL, at=AT):
    return overrides.override(supplier=supplier.pk, level=level, reason="she told me on the phone", until=until, by=by, at=at)


def seen(at, **more):
    health = current.health_of("sarah", days=30, at=at)
    return {name: current.shown("sarah", health, time_range="30d", breakdown=False, **more)[name] for name in ("level", "override")}


def test_it_counts_to_the_microsecond_and_the_computed_one_stays_beside_it(sarah, maya):
    set_level(sarah, maya)
    last = UNTIL - timedelta(microseconds=1)
    told = {"computed_level": "critical", "by_role": "success manager", "reason": "she told me on the phone", "until": UNTIL}
    assert seen(last) == {"level": "healthy", "override": told}
    assert seen(last, computed=True) == {"level": "critical", "override": None}
    assert seen(UNTIL) == {"level": "critical", "override": None}
    for at, level in ((last, "healthy"), (UNTIL, "critical")):
        assert listing.one("sarah", at=at)["level"] == level
        assert [row["id"] for row in listing.found(listing.Wanted(level=level), limit=9, at=at)[0]] == ["sarah"]
        assert summary.summary(at=at)["levels"][level] == 1


def test_it_ends_by_itself_and_says_so_once(sarah, maya):
    set_level(sarah, maya)
    assert overrides.expire(at=UNTIL - timedelta(microseconds=1)) == 0
    assert [overrides.expire(at=UNTIL), overrides.expire(at=UNTIL)] == [1, 0]
    ended = Override.objects.get()
    assert (ended.ended_at, ended.ended_by) == (UNTIL, None)
    assert list(Event.objects.filter(name__contains="override").order_by("pk").values_list("name", "payload")) == [
        ("health.override_set", {"level": "healthy", "computed": "critical"}),
        ("health.override_ended", {"level": "healthy", "by_itself": True}),
    ]


def test_a_later_one_takes_its_place_and_a_person_takes_it_back(sarah, maya):
    set_level(sarah, maya)
    later = AT + timedelta(hours=1)
    set_level(sarah, maya, level="at_risk", at=later)
    assert seen(later)["level"] == "at_risk"
    assert overrides.end(supplier=sarah.pk, by=maya, at=later + timedelta(hours=1))
    assert seen(later + timedelta(hours=1))["override"] is None
    assert Override.objects.filter(ended_by=maya).count() == 2


@pytest.mark.parametrize(
    "change", [{"until": AT}, {"until": AT + timedelta(days=90, microseconds=1)}, {"level": "splendid"}], ids=["over already", "too long", "no level"]
)
def test_what_is_not_possible(sarah, maya, change):
    with pytest.raises(overrides.NotPossible):
        set_level(sarah, maya, **change)
    assert not Override.objects.exists()


def test_there_is_nothing_to_set_on_who_is_not_scored(sarah, maya):
    sarah.status = "cancelled"
    sarah.save()
    assessments.assess(at=AT)
    with pytest.raises(overrides.NotPossible):
        set_level(sarah, maya)


def test_the_owner_may_and_a_lead_and_no_other_manager(sarah, maya):
    with pytest.raises(overrides.NotAllowed):
        set_level(sarah, colleague("success manager"))
    set_level(sarah, colleague("lead"))
    with pytest.raises(overrides.NotAllowed):
        overrides.end(supplier=sarah.pk, by=colleague("success manager"), at=AT)


def test_of_two_at_once_one_stands(committed):
    by = colleague("lead")
    sarah = critical()
    together = Barrier(8)

    def one():
        together.wait()
        set_level(sarah, by)
        connection.close()

    threads = [Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Override.objects.count() == 8
    assert Override.objects.filter(ended_at=None).count() == 1
