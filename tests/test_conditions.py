"""Conditions: what is refused, how they read, what they know, and that predicate and SQL agree."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.contrib.auth import get_user_model
from hypothesis import given
from hypothesis import strategies as st

from health import assessments, overrides
from success import clients, conditions, db, facts, segments
from success.models import CustomField, Supplier
from success.models.suppliers import Status
from tests.factories import StaffFactory, SupplierFactory
from tests.histories import EVENTS, NOW, Happening, happenings, once, record, times
from tests.test_fold import PROPERTY, example, source  # noqa: F401

FACTS = {
    fact.key: fact
    for fact in (
        conditions.Fact(key="score", type="number", words="score", sql="x"),
        conditions.Fact(key="clients", type="number", words="clients known", phrase="{} client{s} known", sql="x", sure=True),
        conditions.Fact(key="active", type="number", words="clients active", phrase="{} client{s} active", over="x"),
        conditions.Fact(key="mrr", type="number", words="MRR", sql="x"),
        conditions.Fact(key="events", type="number", words="happened", phrase="{event} happened {} time{s}", sql="x", over="x", event=True),
        conditions.Fact(key="plan", type="text", words="plan", sql="x"),
        conditions.Fact(key="level", type="choice", words="level", sql="x", choices=(("critical", "critical"), ("at_risk", "at risk"))),
        conditions.Fact(key="declining", type="boolean", words="declining", sql="x"),
        conditions.Fact(key="seen", type="moment", words="last sign-in", phrase="last signed in {}", sql="x"),
        conditions.Fact(key="features", type="keys", words="features used", sql="x", choices=(("forms", "Forms"), ("import", "Import"), ("c", "C"))),
    )
}


def ask(fact, operator, value=None, **more):
    return {"fact": fact, "is": operator} | ({} if value is None else {"value": value}) | more


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("raw", "pointer", "detail"),
    [
        (None, "", "Send an object: a test with a fact, or a group with all or any."),
        ([], "", "Send an object: a test with a fact, or a group with all or any."),
        ({}, "/fact", "Choose a fact."),
        ({"all": []}, "/all", "Add at least one condition."),
        ({"any": "x"}, "/any", "Add at least one condition."),
        ({"all": [ask("score", "is", 1)], "any": []}, "/all", "Send all alone."),
        ({"all": [ask("score", "is", 1)] * 31}, "/all", "Take at most 30 conditions in one group."),
        ({"all": [{"any": [ask("score", "is", 1)] * 30}] * 2}, "", "Ask for at most 50 things at once."),
        ({"all": [{"any": [{"all": [{"any": [ask("score", "is", 1)]}]}]}]}, "/all/0/any/0/all/0/any", "Put groups into groups at most 3 deep."),
        ({"all": [ask("score", "is", 1), 7]}, "/all/1", "Send an object: a test with a fact, or a group with all or any."),
        (ask("shoe", "is", 1), "/fact", "Choose a fact that there is."),
        (ask(["score"], "is", 1), "/fact", "Choose a fact that there is."),
        (ask("score", "is", 1, regex="^a"), "/regex", "Is not a field of a condition. Leave it out."),
        (ask("score", "matches", 1), "/is", "Choose one of at_least, at_most, more_than, less_than, is, is_not, known or unknown."),
        (ask("clients", "unknown"), "/is", "Choose one of at_least, at_most, more_than, less_than, is or is_not."),
        (ask("score", ["is"], 1), "/is", "Choose one of at_least, at_most, more_than, less_than, is, is_not, known or unknown."),
        (ask("score", "unknown", 1), "/value", "Leave it out: nothing is compared."),
        (ask("score", "is"), "/value", "Give a number."),
        (ask("score", "is", "70"), "/value", "Give a number."),
        (ask("score", "is", True), "/value", "Give a number."),
        (ask("score", "is", float("nan")), "/value", "Give a number."),
        (ask("score", "is", 10**13), "/value", "Give a number."),
        (ask("score", "is", 1, days=7), "/days", "Leave it out: this fact has no window."),
        (ask("score", "is", 1, event="Signed In"), "/event", "Leave it out: this fact is about no event."),
        (ask("active", "is", 1), "/days", "Say over how many days."),
        (ask("active", "is", 1, days=0), "/days", "Give a whole number of days from 1 to 3660."),
        (ask("active", "is", 1, days=2.5), "/days", "Give a whole number of days from 1 to 3660."),
        (ask("events", "is", 1), "/event", "Choose an event of the catalogue."),
        (ask("events", "is", 1, event="a\0b"), "/event", "Choose an event of the catalogue."),
        (ask("plan", "is", 1), "/value", "Give a text."),
        (ask("plan", "is", "  "), "/value", "Give a text."),
        (ask("plan", "is", "\ud800"), "/value", "Give a text."),
        (ask("plan", "is", "x" * 201), "/value", "Take at most 200 characters."),
        (ask("plan", "one_of", "pro"), "/value", "Choose one to 50 values."),
        (ask("plan", "one_of", []), "/value", "Choose one to 50 values."),
        (ask("plan", "one_of", ["x"] * 51), "/value", "Choose one to 50 values."),
        (ask("level", "is", "splendid"), "/value", "Choose one of critical or at_risk."),
        (ask("features", "has_all", ["forms", "shoes"]), "/value", "Choose one of forms, import or c."),
        (ask("declining", "is", "yes"), "/value", "Choose yes (true) or no (false)."),
        (ask("seen", "before", "soon"), "/value", "Give a day, such as 2026-11-20."),
        (ask("seen", "before", 7), "/value", "Give a day, such as 2026-11-20."),
        (ask("seen", "before", "2026-11-20T12:00:00"), "/value", "Give the instant with its zone, such as 2026-11-20T12:00:00Z."),
        (ask("seen", "after", "1066-10-14"), "/value", "Give a day from 2000 to 2100."),
        (ask("seen", "within_last", 0), "/value", "Give a whole number of days from 1 to 3660."),
    ],
)  # fmt: skip
def test_what_is_no_condition_is_refused_with_what_to_do(raw, pointer, detail):
    with pytest.raises(conditions.Invalid) as refused:
        conditions.parse(raw, FACTS)
    assert refused.value.faults == (conditions.Fault(pointer, detail),)


def test_all_that_is_wrong_is_told_at_once():
    with pytest.raises(conditions.Invalid) as refused:
        conditions.parse({"all": [ask("shoe", "is", 1), ask("score", "is", 1), {"any": [ask("score", "is", "x")]}]}, FACTS)
    assert [fault.pointer for fault in refused.value.faults] == ["/all/0/fact", "/all/2/any/0/value"]


# ---------------------------------------------------------------- how they read


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (ask("score", "less_than", 70), "score less than 70"),
        (ask("score", "is", 40), "score exactly 40"),
        (ask("score", "unknown"), "score is not known"),
        (ask("mrr", "at_least", 1250.5), "MRR at least 1,250.5"),
        (ask("clients", "at_least", 25), "at least 25 clients known"),
        (ask("clients", "more_than", 1), "more than 1 client known"),
        (ask("active", "is_not", 0, days=30), "other than 0 clients active in the last 30 days"),
        (ask("events", "more_than", 2, event="Form Created"), "“Form Created” happened more than 2 times"),
        (ask("events", "at_most", 2, event="Form Created", days=1), "“Form Created” happened at most 2 times in the last day"),
        (ask("plan", "is", "pro"), "plan is pro"),
        (ask("plan", "is_not", "pro"), "plan is not pro"),
        (ask("plan", "one_of", ["pro", "basic", "studio", "pro"]), "plan is pro, basic or studio"),
        (ask("level", "is", "at_risk"), "level is at risk"),
        (ask("declining", "is", True), "is declining"),
        (ask("declining", "is", False), "is not declining"),
        (ask("seen", "within_last", 30), "last signed in within the last 30 days"),
        (ask("seen", "more_than_ago", 1), "last signed in more than 1 day ago"),
        (ask("seen", "before", "2026-11-01"), "last signed in before 1 Nov 2026"),
        (ask("seen", "after", "2026-11-01T09:30:00Z"), "last signed in after 1 Nov 2026 09:30 UTC"),
        (ask("seen", "unknown"), "last sign-in is not known"),
        (ask("features", "has_all", ["forms", "import"]), "features used include Forms and Import"),
        (ask("features", "has_any", ["forms", "import"]), "features used include Forms or Import"),
        (ask("features", "has_none", ["forms"]), "features used do not include Forms"),
        (ask("features", "has_none", ["forms", "import"]), "features used include neither Forms nor Import"),
        (
            {"all": [ask("score", "less_than", 70), {"any": [ask("plan", "is", "pro"), ask("clients", "at_least", 3)]}]},
            "score less than 70 and (plan is pro or at least 3 clients known)",
        ),
        ({"any": [{"all": [ask("plan", "is", "pro")]}, ask("score", "at_most", 0)]}, "plan is pro or score at most 0"),
    ],
)
def test_how_a_condition_reads(raw, sentence):
    assert conditions.sentence(conditions.parse(raw, FACTS), FACTS) == sentence


# ---------------------------------------------------------------- what is unknown


@pytest.mark.parametrize("raw", [ask("score", name, 0) for name in ("at_least", "at_most", "more_than", "less_than", "is", "is_not")])
def test_a_comparison_with_what_is_not_known_is_false(raw):
    assert not conditions.parse(raw, FACTS).holds({"score": None}, NOW)
    assert not conditions.parse(raw, FACTS).holds({}, NOW)
    assert conditions.parse(ask("score", "unknown"), FACTS).holds({"score": None}, NOW)
    assert conditions.parse(ask("score", "known"), FACTS).holds({"score": 0}, NOW)


MIDNIGHT = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("operator", "value", "at", "holds"),
    [
        ("before", "2026-11-01", MIDNIGHT - timedelta(microseconds=1), True),
        ("before", "2026-11-01", MIDNIGHT, False),
        ("after", "2026-11-01", MIDNIGHT + timedelta(hours=24, microseconds=-1), False),
        ("after", "2026-11-01", MIDNIGHT + timedelta(hours=24), True),
        ("within_last", 5, NOW - timedelta(days=5), True),
        ("within_last", 5, NOW - timedelta(days=5, microseconds=1), False),
        ("within_last", 5, NOW + timedelta(microseconds=1), False),
        ("more_than_ago", 5, NOW - timedelta(days=5), False),
        ("more_than_ago", 5, NOW - timedelta(days=5, microseconds=1), True),
        ("within_next", 5, NOW, False),
        ("within_next", 5, NOW + timedelta(days=5), True),
    ],
)
def test_days_and_instants_to_the_edge(operator, value, at, holds):
    assert conditions.parse(ask("seen", operator, value), FACTS).holds({"seen": at}, NOW) is holds


# ---------------------------------------------------------------- what is known


@pytest.fixture
def world(source):  # noqa: F811
    """Three suppliers, custom fields of every kind, and somebody to own them."""
    for name, kind in (('region\'s "%s"', "text"), ("seats", "number"), ("vip", "boolean")):
        CustomField.objects.create(name=name, kind=kind)
    StaffFactory(username="maya", is_superuser=True)
    return {name: SupplierFactory(external_id=name).pk for name in ("anna", "ben", "cleo")}


def known_of(world, name, *keys):
    return facts.values_of(world.values(), keys, at=NOW)[world[name]]


def test_what_is_known_of_a_supplier(world, source):  # noqa: F811
    maya = get_user_model().objects.get(username="maya")
    Supplier.objects.filter(pk=world["anna"]).update(
        plan="pro", vertical="", owner=maya, mrr=19.5, currency="EUR", created_at=NOW - timedelta(days=5, hours=23), custom={"seats": 7, "vip": False}
    )
    sent = [Happening(n, "anna", event, NOW - timedelta(days=days), client) for n, (event, days, client) in enumerate([
        ("Form Created", 40, None), ("Form Created", 1, None), ("Signed In", 2, None), ("Client Active", 1.5, "c1"), ("Client Active", 31, "c2"),
    ])]  # fmt: skip
    record(sent, source)
    assert known_of(world, "anna", "plan", "vertical", "owner", "mrr", "status", "stage", "in_service", "days_since_signed_up", "renews_at") == {
        "plan": "pro", "vertical": None, "owner": "maya", "mrr": 19.5, "status": "active", "stage": "new", "in_service": True, "days_since_signed_up": 5,
        "renews_at": None,
    }  # fmt: skip
    assert known_of(world, "anna", "clients", "clients_active:30", "clients_active:31", "features", "features_used", "days_quiet", "last_sign_in_at") == {
        "clients": 2, "clients_active:30": 1, "clients_active:31": 2, "features": ["forms_created"], "features_used": 1, "days_quiet": 1,
        "last_sign_in_at": NOW - timedelta(days=2),
    }  # fmt: skip
    events = {"events::Form Created": 2, "events:40:Form Created": 1, "events:41:Form Created": 2, "events:1:Form Created": 0, "events::No such": 0}
    assert known_of(world, "anna", *events) == events
    assert known_of(world, "anna", "custom.seats", "custom.vip", "custom.region's \"%s\"") == {
        "custom.seats": 7, "custom.vip": False, "custom.region's \"%s\"": None
    }  # fmt: skip
    assert known_of(world, "ben", "days_quiet", "last_activity_at", "features", "custom.seats", "score") == {
        "days_quiet": (NOW - datetime(2026, 6, 1, tzinfo=UTC)).days, "last_activity_at": None, "features": [], "custom.seats": None, "score": None,
    }  # fmt: skip


def test_a_level_set_by_a_person_is_known_with_since_when(world, source):  # noqa: F811
    record([Happening(1, "anna", "Signed In", NOW - timedelta(days=20), None)], source)
    assessments.assess(at=NOW - timedelta(days=3))
    assert known_of(world, "anna", "level", "days_at_level", "declining") == {"level": "critical", "days_at_level": 3, "declining": False}
    maya, set_at = get_user_model().objects.get(username="maya"), NOW - timedelta(hours=30)
    overrides.override(supplier=world["anna"], level="healthy", reason="told me", until=NOW + timedelta(days=1), by=maya, at=set_at)
    assert known_of(world, "anna", "level", "level_since", "days_at_level") == {"level": "healthy", "level_since": set_at, "days_at_level": 1}


def test_values_of_many_are_one_statement(world, django_assert_num_queries):
    keys = [key for key, fact in facts.known().items() if fact.sql and not fact.event] + ["clients_active:7", "events::Signed In", "events:7:Signed In"]
    with django_assert_num_queries(3):  # the custom fields and features that there are, and the values
        found = facts.values_of(world.values(), keys, at=NOW)
    assert set(found) == set(world.values()) and all(set(values) == set(keys) for values in found.values())


# ---------------------------------------------------------------- predicate and SQL agree

TEXTS = ["pro", "basic", "O'Brien; --", "100 %s", "}{"]
days = st.sampled_from([1, 2, 7, 29, 30, 31, 90])
numbers = st.integers(-1, 4) | st.sampled_from([0.5, 19.5, 30.0, 70, 100])


def values(fact, operator):
    if operator in ("known", "unknown"):
        return st.none()
    if operator in ("within_last", "more_than_ago", "within_next"):
        return days
    offered = st.sampled_from(list(fact.offered) or TEXTS)
    if operator in ("one_of", "has_all", "has_any", "has_none"):
        return st.lists(offered, min_size=1, max_size=3)
    moments = st.sampled_from([NOW.date(), NOW.date() - timedelta(days=30), NOW]).map(lambda when: when.isoformat())
    return {"number": numbers, "boolean": st.booleans(), "moment": moments}.get(fact.type, offered)


@st.composite
def single(draw, known):
    fact = known[draw(st.sampled_from(sorted(known)))]
    operator = draw(st.sampled_from(fact.operators))
    raw = {"fact": fact.key, "is": operator, "value": draw(values(fact, operator))}
    if fact.event:
        raw["event"] = draw(st.sampled_from(EVENTS))
    if fact.over and (not fact.sql or draw(st.booleans())):
        raw["days"] = draw(days)
    return raw


def trees(known):
    groups = st.sampled_from(["all", "any"])
    inner = st.builds(lambda kind, parts: {kind: parts}, groups, st.lists(single(known), min_size=1, max_size=3))
    return st.builds(lambda kind, parts: {kind: parts}, groups, st.lists(single(known) | inner, min_size=1, max_size=4))


supplier = st.fixed_dictionaries(
    {
        "plan": st.sampled_from(["", *TEXTS]),
        "vertical": st.sampled_from(["", *TEXTS]),
        "status": st.sampled_from(Status.values),
        "internal": st.booleans(),
        "mrr": st.none() | st.sampled_from([0.0, 0.5, 19.5, 100.0]),
        "created_at": st.none() | times,
        "trial_ends_at": st.none() | times.map(lambda at: NOW + (NOW - at)),
        "renews_at": st.none() | times.map(lambda at: NOW + (NOW - at)),
        "custom": st.dictionaries(
            st.sampled_from(['region\'s "%s"', "seats", "vip"]), st.none() | st.booleans() | st.sampled_from([0, 1, 2.5, "", "pro", "100 %s"]), max_size=3
        ),
    }
)


@PROPERTY
@given(sent=st.lists(happenings, max_size=25), told=st.lists(supplier, min_size=3, max_size=3), owned=st.booleans(), data=st.data())
def test_predicate_and_sql_agree(world, source, sent, told, owned, data):  # noqa: F811
    maya = get_user_model().objects.get(username="maya")
    with example():
        record(once(sent), source)
        for pk, about in zip(world.values(), told, strict=True):
            Supplier.objects.filter(pk=pk).update(**about, owner=maya if owned else None)
        clients.put(supplier_id=world["ben"], clients={"c9": None}, at=NOW)
        assessments.assess(at=NOW - timedelta(days=2))
        if assessed := db.rows("select supplier_id from health_assessment where level is not null limit 1"):
            overrides.override(supplier=assessed[0][0], level="at_risk", reason="so", until=NOW + timedelta(days=1), by=maya, at=NOW - timedelta(days=1))
        known = facts.known()
        for raw in data.draw(st.lists(trees(known), min_size=6, max_size=6)):
            condition = conditions.parse(raw, known)
            found = facts.values_of(world.values(), conditions.keys(condition), at=NOW)
            joins, where, params = conditions.sql(condition, known, NOW)
            holding = {pk for (pk,) in db.rows(f"select s.id from success_supplier s {joins} where {where}", params)}
            assert holding == {pk for pk in world.values() if condition.holds(found[pk], NOW)}, raw
            assert conditions.sentence(condition, known)
            served = {pk for pk in holding if segments.holds_for(condition, pk, at=NOW)}
            number, some = segments.sample(condition, at=NOW)
            assert (number, set(some), number) == (len(served), served, segments.count(condition, at=NOW)), raw


def test_an_instant_is_as_good_as_a_day():
    assert conditions.parse(ask("seen", "after", "2026-11-20"), FACTS).value == date(2026, 11, 20)
