"""The shortest way to the next level: it leads there, and she can go it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from health import steps
from health.scoring import NOTHING, WS142, Inputs, score

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
SARAH = Inputs(AT - timedelta(days=9), 0b0011, 5, 5, 0, 0, 0, 0)
counts = st.integers(0, 40)
inputs = st.builds(
    Inputs,
    st.none() | st.floats(0, 60).map(lambda days: AT - timedelta(days=days)),
    st.integers(0, 15), counts, counts, counts, counts, counts, counts,
).map(lambda found: replace(found, clients_active=min(found.clients_active, found.clients_total)))  # fmt: skip


@pytest.mark.parametrize(
    ("who", "made_from", "level", "said"),
    [
        ("Sarah: 47.5", SARAH, "healthy", "sign in today and have 1 more form completed"),
        ("a client short of healthy", replace(SARAH, last_sign_in_at=AT, features=7, clients_active=4), "healthy", "have 1 more client active"),
        ("signed in, else nothing", replace(NOTHING, last_sign_in_at=AT), "at_risk", "have 1 more form completed"),
        ("nothing at all", NOTHING, "at_risk", "sign in today and have 1 more form completed"),
        ("clients she has not", replace(NOTHING, last_sign_in_at=AT, clients_total=2), "at_risk", "have 1 more client active"),
        ("more than two steps away", replace(NOTHING, last_sign_in_at=AT, features=3), "healthy", ""),
    ],
    ids=lambda value: value if isinstance(value, str) and ":" in value else "",
)
def test_ways(who, made_from, level, said):
    found = steps.way(WS142, made_from, AT)
    assert (found.level, steps.sentence(found.steps)) == (level, said)


@given(inputs)
def test_a_way_leads_there_and_can_be_gone(made_from):
    found = steps.way(WS142, made_from, AT)
    now = score(WS142, made_from, AT)
    if now.level == "healthy":
        assert found is None
    elif found.steps:
        after = found.steps[-1].inputs
        reached = score(WS142, after, AT)
        assert len(found.steps) <= 2
        assert reached.score >= now.score + found.points - 1e-6
        assert WS142.level(reached.score + 1e-6) in (found.level, "healthy")
        assert after.clients_total == made_from.clients_total >= after.clients_active
        assert after.forms_completed <= max(after.forms_started, made_from.forms_completed)
