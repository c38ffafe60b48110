"""Whatever happened and whoever wrote it down, the watch over the counters and a recount agree on who reached what."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milestones import definitions, reconciling
from milestones.models import Achievement, Fault, Milestone
from success import activity, clients, db
from success.models import Source, Supplier
from tests.factories import SourceFactory, SupplierFactory
from tests.histories import NOW, SUPPLIERS, Happening, once, record, times
from tests.test_fold import PROPERTY, example

names = ["Form Created", "Form Completed", "Client Active"]  # few, so that counts meet their heights in small steps
happenings = st.builds(
    Happening,
    message=st.integers(0, 400),
    supplier=st.sampled_from(SUPPLIERS[:2]),
    event=st.sampled_from([*names, "Template Used"]),
    at=times,
    client=st.none() | st.sampled_from(["c1", "c2", "c3", "c4"]),
)
takes = (
    st.builds(lambda name, n: {"count": f"event:{name}", "at_least": n}, st.sampled_from(names), st.integers(1, 5))
    | st.builds(lambda n: {"count": "clients", "at_least": n}, st.integers(1, 4))
    | st.builds(lambda key: {"feature": key}, st.sampled_from(["forms_created", "clients_imported", "journeys_created", "templates_used"]))
    | st.builds(lambda n: {"features": n}, st.integers(1, 4))
)
puts = st.tuples(st.just("put"), st.sampled_from(SUPPLIERS), st.dictionaries(st.sampled_from(["c1", "c2", "c3", "c4"]), st.none() | times, min_size=1))
told = st.tuples(st.just("events"), st.lists(happenings, min_size=1, max_size=15), st.booleans())
by_hand = st.tuples(st.just("by hand"), st.sampled_from(SUPPLIERS), st.integers(0, 6))


@pytest.fixture
def source(db: None) -> Source:
    activity.ensure_partitions(now=NOW)
    return SourceFactory(name="product")


@PROPERTY
@given(asked=st.lists(takes, min_size=1, max_size=12), steps=st.lists(told | told | puts | by_hand, min_size=1, max_size=6))
def test_the_watch_and_a_recount_agree(source, asked, steps):
    with example():
        people = {name: SupplierFactory(external_id=name).pk for name in SUPPLIERS}
        Milestone.objects.update(active=False)
        for n, requirement in enumerate(asked):
            definitions.define(Milestone(key=f"m{n}", name=f"m{n}", words="", requirement=requirement, place=n))
        known: list = []
        for n, (kind, what, how) in enumerate(steps):
            at = NOW + timedelta(minutes=n)
            match kind:
                case "events":
                    known += what
                    batch = once(known)[-len(what) :]
                    if how:
                        with db.history():
                            record(batch, source, at)
                    else:
                        record(batch, source, at)
                case "put":
                    clients.put(supplier_id=people[what], clients=how, at=at)
                case "by hand":
                    db.execute("update success_eventuse set n = n + %s where supplier_id = %s", [how, people[what]])
        seen = set(Achievement.objects.filter(milestone__active=True).values_list("supplier_id", "milestone__key"))
        assert not list(Fault.objects.values_list("error", flat=True))
        missing: list = []
        assert reconciling.reconcile(at=NOW, grant=None, found=lambda milestone, ids: missing.extend(ids)) == 0, missing
        Achievement.objects.all().delete()
        reconciling.reconcile(at=NOW + timedelta(hours=1), grant=reconciling.SILENTLY)
        assert set(Achievement.objects.values_list("supplier_id", "milestone__key")) == seen
        assert not Achievement.objects.filter(achieved_at__gt=NOW + timedelta(hours=2)).exists()
        assert Supplier.objects.count() == len(SUPPLIERS)
