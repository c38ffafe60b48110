"""What a milestone takes: read from JSON, said in words, measured. Tables."""

import pytest

from milestones.requirements import Invalid, Measure, Several, is_counted, measures, met, parse, progress, sentence

CLIENTS = {"count": "clients", "at_least": 25}
FORM = {"count": "event:Form Created", "at_least": 1}
RICH = {"where": {"value": 80, "is": "at_least", "fact": "mrr"}}

READ = [
    (CLIENTS, Measure("clients", "", 25), "25 clients"),
    ({"count": "clients", "at_least": 1}, Measure("clients", "", 1), "1 client"),
    (FORM, Measure("event", "Form Created", 1), "“Form Created” once"),
    ({"count": "event:a: b", "at_least": 3}, Measure("event", "a: b", 3), "“a: b” 3 times"),
    ({"feature": "forms_created"}, Measure("feature", "forms_created", 1), "forms created, once"),
    ({"features": 4}, Measure("features", "", 4), "4 different features"),
    ({"streak": "weeks", "at_least": 4}, Measure("streak", "weeks", 4), "4 weeks in a row"),
    ({"streak": "days", "at_least": 1}, Measure("streak", "days", 1), "1 day in a row"),
    ({"held": "healthy", "days": 30}, Measure("held", "healthy", 30), "healthy for 30 days"),
    ({"profile": ["phone", "name", "name"]}, Measure("profile", "name,phone", 2), "name, phone told"),
    (RICH, Measure("where", '{"fact": "mrr", "is": "at_least", "value": 80}', 1), "a condition"),
    ({"any": [CLIENTS, FORM]}, Several(False, (Measure("clients", "", 25), Measure("event", "Form Created", 1))), "25 clients or “Form Created” once"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "read", "words"), READ)
def test_what_is_read(said, read, words):
    assert (parse(said), sentence(parse(said))) == (read, words)


WRONG = [
    (None, "must be an object"), ([], "must be an object"), ({}, "must be an object"), ({"counts": 1}, "has none of"),
    ({"count": "clients"}, "/count: needs at_least"), ({"count": "clients", "at_least": 0}, "from 1 on"), ({"count": "clients", "at_least": True}, "from 1 on"),
    ({"count": "clients", "at_least": 1.5}, "from 1 on"), ({"count": "clients", "at_least": 10**12}, "from 1 on"),
    ({"count": "event:", "at_least": 1}, "name of an event"),
    ({"count": "visits", "at_least": 1}, "name of an event"), ({"count": 5, "at_least": 1}, "must be a text"),
    ({**CLIENTS, "within": 3}, "/within: is not part of count"),
    ({"feature": "x" * 300}, "must be a text"), ({"feature": "a\0"}, "must be a text"), ({"features": -1}, "from 1 on"),
    ({"streak": "months", "at_least": 1}, "one of days, weeks"), ({"held": "ok", "days": 1}, "one of critical"), ({"held": "healthy"}, "needs days"),
    ({"profile": []}, "must be a list"), ({"profile": ["shoe size"]}, "must be one of"), ({"profile": [[]]}, "must be one of"),
    ({"all": []}, "must be a list"), ({"all": [CLIENTS, {}]}, "/all/1: must be an object"), ({"where": {}}, "/where: must be a condition"),
    ({"where": [RICH["where"]]}, "must be a condition"), ({**RICH, "days": 3}, "/days: is not part of where"),
    ({"all": [{"all": [{"all": [{"all": [{"all": [{"all": [CLIENTS]}]}]}]}]}]}, "nested too deeply"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "why"), WRONG)
def test_what_is_refused_says_where_and_why(said, why):
    with pytest.raises(Invalid, match=why):
        parse(said)


BOTH, EITHER = {"all": [CLIENTS, FORM]}, {"any": [CLIENTS, {"count": "event:Form Created", "at_least": 4}]}
FAR = [
    (CLIENTS, {}, False, (0, 25)), (CLIENTS, {"clients": 7}, False, (7, 25)), (CLIENTS, {"clients": 30}, True, (25, 25)),
    (RICH, {}, False, (0, 1)), (RICH, {parse(RICH).counter: 1}, True, (1, 1)), ({"all": [RICH, FORM]}, {parse(RICH).counter: 1}, False, (1, 2)),
    (BOTH, {"clients": 25}, False, (1, 2)), (BOTH, {"clients": 25, "event:Form Created": 2}, True, (2, 2)),
    (EITHER, {"clients": 5, "event:Form Created": 2}, False, (2, 4)), (EITHER, {"clients": 25}, True, (25, 25)),
]  # fmt: skip


@pytest.mark.parametrize(("said", "values", "is_met", "far"), FAR)
def test_how_far(said, values, is_met, far):
    assert (met(parse(said), values), progress(parse(said), values)) == (is_met, far)


def test_one_counter_alone_is_watched_by_the_database():
    assert [is_counted(parse(said)) for said in (CLIENTS, FORM, {"features": 2}, {"feature": "a"}, {"streak": "days", "at_least": 2}, BOTH)] == [True] * 4 + [
        False
    ] * 2
    assert [one.counter for one in measures(parse({"any": [BOTH, {"features": 2}]}))] == ["clients", "event:Form Created", "features"]
