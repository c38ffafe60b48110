"""Milestones that take a condition over facts, and milestones of a segment."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from milestones import achievements, board, definitions, progress, reconciling
from milestones.models import Fault, Milestone, Threshold, Touched
from milestones.requirements import Invalid, parse
from success import activity, jobs, listing
from success.models import CustomField, Segment, Source, Supplier
from tests.factories import SourceFactory, SupplierFactory
from tests.test_milestones import NOW, reached, take, track

BUSY = {"where": {"all": [{"fact": "plan", "is": "is", "value": "pro"}, {"fact": "events", "event": "Form Created", "is": "at_least", "value": 2}]}}
PRO = {"fact": "plan", "is": "is", "value": "pro"}
FORM = {"count": "event:Form Created", "at_least": 1}
GONE = {"fact": "custom.size", "is": "at_least", "value": 3}
LATER = NOW + timedelta(minutes=1)


@pytest.fixture
def source(db: None) -> Iterator[Source]:
    activity.ensure_partitions(now=NOW)
    Milestone.objects.update(active=False)
    Threshold.objects.all().delete()
    yield SourceFactory(name="product")
    assert not Fault.objects.exists()


def define(key: str, requirement: object, *, segment: object = None, place: int = 0, **about: object) -> Milestone:
    of = Segment.objects.create(key=key, name=key, condition=segment) if segment else None
    one = Milestone(key=key, name=key, words="", requirement=requirement, segment=of, place=place, **about)
    definitions.define(one)
    return one


def people(**plans: str) -> dict[str, int]:
    return {name: SupplierFactory(external_id=name, plan=plan, created_at=NOW - timedelta(days=20)).pk for name, plan in plans.items()}


def test_a_condition_over_facts_is_reached_by_those_it_holds_for(source):
    busy = define("busy", BUSY)
    ids = people(anna="pro", ben="pro", cleo="basic")
    take(
        source, *(track("Form Created", who=who, at=NOW - timedelta(minutes=n)) for who, times in (("anna", 2), ("ben", 1), ("cleo", 2)) for n in range(times))
    )
    gain = definitions.gain(definitions.takes(busy), milestone=busy.pk, at=LATER)
    assert (gain.n, [one.external_id for one in gain.some]) == (1, ["anna"])
    assert [(rung.current, rung.target) for name in ids for rung in progress.climb(ids[name], at=LATER).rungs] == [(1, 1), (0, 1), (0, 1)]
    assert progress.climb(ids["ben"], at=LATER).rungs[0].takes == "plan is pro and “Form Created” happened at least 2 times"
    assert reconciling.reconcile(at=LATER, grant=None) == 1
    assert achievements.evaluate(at=LATER) == 1
    mine = reached("anna")["busy"]
    assert (mine.counter, mine.n, mine.silent, mine.achieved_at) == ("", 0, False, NOW)
    assert achievements.evaluate(at=LATER) == reconciling.reconcile(at=LATER, grant=None) == 0


def test_who_has_long_been_so_reaches_it_silently(source):
    define("busy", {"any": [BUSY, {"count": "clients", "at_least": 5}]})
    people(anna="pro")
    take(source, *(track("Form Created", who="anna", at=NOW - timedelta(days=3, minutes=n)) for n in range(2)))
    achievements.evaluate(at=LATER)
    assert (reached("anna")["busy"].silent, reached("anna")["busy"].achieved_at) == (True, NOW - timedelta(days=3))


def test_of_a_segment_the_watch_alone_decides_nothing(source):
    define("pro_form", FORM, segment=PRO)
    ids = people(anna="pro", ben="basic")
    take(source, track("Form Created", who="anna"), track("Form Created", who="ben"))
    assert not reached("anna") and set(Touched.objects.values_list("supplier_id", flat=True)) == set(ids.values())
    jobs.find("milestones.announce").run(at=LATER, slot=LATER, only=None)
    mine = reached("anna")["pro_form"]
    assert (mine.counter, mine.n, mine.achieved_at, mine.silent) == ("event:Form Created", 1, NOW, False)
    assert not reached("ben") and not Touched.objects.exists()
    assert reconciling.reconcile(at=LATER, grant=None) == achievements.evaluate(at=LATER) == 0
    Supplier.objects.filter(pk=ids["ben"]).update(plan="pro")
    assert achievements.evaluate(at=LATER) == 1 and "pro_form" in reached("ben")


def test_who_is_not_in_the_segment_is_not_shown_it(source):
    define("pro_form", FORM, segment=PRO, place=1)
    define("clients", {"count": "clients", "at_least": 5}, place=2)
    ids = people(anna="pro", ben="basic")
    assert [[rung.milestone.key for rung in progress.climb(ids[who], at=LATER).rungs] for who in ids] == [["pro_form", "clients"], ["clients"]]
    assert progress.climb(ids["ben"], at=LATER).next.milestone.key == listing.one("ben", at=LATER)["next_milestone"] == "clients"
    assert [(level.milestone.key, level.next, level.stalled) for level in board.board(board.Whom(), at=LATER).levels] == [("pro_form", 1, 1), ("clients", 1, 1)]
    assert [board.waiting_at(key, stalled=True, at=LATER) for key in ("pro_form", "clients")] == [[ids["anna"]], [ids["ben"]]]


def test_who_has_it_and_leaves_the_segment_keeps_it(source):
    define("pro_form", FORM, segment=PRO)
    ids = people(anna="pro")
    take(source, track("Form Created", who="anna"))
    achievements.evaluate_touched(at=LATER)
    Supplier.objects.update(plan="basic")
    climb = progress.climb(ids["anna"], at=LATER)
    assert [one.milestone.key for one in climb.achieved] == [rung.milestone.key for rung in climb.of("done")] == ["pro_form"]


def test_a_fact_that_is_gone_takes_nothing_down(source):
    CustomField.objects.create(name="size", kind="number")
    definitions.check(parse({"where": GONE}))
    define("size", {"where": GONE}, place=1)
    define("large_form", FORM, segment=GONE, place=2)
    define("form", FORM, place=3)
    ids = people(anna="pro")
    CustomField.objects.all().delete()
    take(source, track("Form Created", who="anna"))
    assert not jobs.find("milestones.announce").run(at=LATER, slot=LATER, only=None).failures
    achievements.evaluate(at=LATER)
    assert set(reached("anna")) == {"form"} and reconciling.reconcile(at=LATER, grant=None) == 0
    assert [(rung.milestone.key, rung.takes) for rung in progress.climb(ids["anna"], at=LATER).rungs] == [
        ("size", "something that is no longer known"), ("form", "“Form Created” once")
    ]  # fmt: skip
    assert [level.next for level in board.board(board.Whom(), at=LATER).levels] == [1, 0, 0]
    with pytest.raises(Invalid, match="/where/fact: Choose a fact that there is"):
        definitions.check(parse({"where": GONE}))


def test_in_the_admin_a_segment_and_a_condition_say_first_who_would_gain(source, admin_client):
    people(anna="pro", ben="basic")
    segment = Segment.objects.create(key="pro", name="Pros", condition=PRO)
    form = {
        "key": "asked", "name": "Asked", "words": "-", "icon": "flag", "celebration": "note", "tier": 1, "place": 1, "active": "on", "segment": segment.pk,
        "requirement": '{"where": {"fact": "clients", "is": "at_most", "value": 3}}',
    }  # fmt: skip
    asked = admin_client.post("/admin/milestones/milestone/add/", form)
    assert "at most 3 clients known, of “Pros” only" in asked.content.decode() and "1 supplier would have it at once" in asked.content.decode()
    assert not Milestone.objects.filter(key="asked").exists()
    assert admin_client.post("/admin/milestones/milestone/add/", form | {"sure": "yes"}).status_code == 302
    assert Milestone.objects.get(key="asked").segment == segment
    wrong = admin_client.post("/admin/milestones/milestone/add/", form | {"key": "b", "requirement": '{"where": {"fact": "shoes"}}'})
    assert "Choose a fact that there is." in wrong.content.decode()
