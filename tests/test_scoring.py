"""The brief's score: by hand, by the pure function and by SQL, all the same."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from health import assessments, risk, scoring
from health.models import Assessment
from health.scoring import NOTHING, WS142, Inputs
from success import activity, db, metrics, stages
from success.models import Facts, Supplier
from tests.factories import SourceFactory, SupplierFactory
from tests.histories import Happening, record

AT = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
MICRO = timedelta(microseconds=1)
DAY = timedelta(days=1)


def inputs(days: float | None = None, **values) -> Inputs:
    return replace(NOTHING, last_sign_in_at=None if days is None else AT - timedelta(days=days), **values)


# ---------------------------------------------------------------- by hand

ALL = {"features": 0b1111, "clients_total": 4, "clients_active": 4, "forms_started": 1, "forms_completed": 1, "steps_started": 1, "steps_completed": 1}
# .75, .6, .8, .4
EXAMPLE = {"features": 0b0111, "clients_total": 5, "clients_active": 3, "forms_started": 5, "forms_completed": 4, "steps_started": 5, "steps_completed": 2}
BY_HAND = [
    ("nothing at all", inputs(), 0, "critical"),
    ("signed in today and nothing else", inputs(0), 30, "critical"),
    ("the brief's own example", inputs(2, **EXAMPLE), 75.75, "healthy"),
    ("Sarah: two weeks in, 5 clients, 1 form, quiet", inputs(13.9, features=0b0011, clients_total=5, forms_started=1), 22.5, "critical"),
    ("everything", inputs(0, **ALL), 100, "healthy"),
    ("never signed in, all else", inputs(**ALL), 70, "healthy"),
    ("no clients is 0, not a division", inputs(0, features=0b1111), 55, "at_risk"),
    ("more completed than started counts as all", inputs(forms_started=2, forms_completed=5), 10, "critical"),
    ("completed without a start", inputs(steps_completed=1), 10, "critical"),
    ("features that are not the scorecard's", inputs(features=0b11110000), 0, "critical"),
    ("one feature of four", inputs(features=0b0100), 6.25, "critical"),
    ("a sign-in a little ahead of us", inputs(-0.003), 30, "critical"),
    ("exactly 40", inputs(0, forms_started=1, forms_completed=1), 40, "at_risk"),
    ("39.99", inputs(0, forms_started=1000, forms_completed=999), 39.99, "critical"),
    ("exactly 70", inputs(0, features=0b1111, clients_total=5, clients_active=3), 70, "healthy"),
    ("69.999", inputs(0, features=0b1111, clients_total=25000, clients_active=14999), 69.999, "at_risk"),
    ("a third is not rounded", inputs(0, clients_total=3, clients_active=1), 30 + 25 / 3, "critical"),
]  # fmt: skip
STEPS = [(3, 30, 20), (7, 20, 10), (14, 10, 5), (30, 5, 0)]


@pytest.mark.parametrize(("who", "given_", "score", "level"), BY_HAND, ids=[case[0] for case in BY_HAND])
def test_scores_by_hand(who, given_, score, level):
    found = scoring.score(WS142, given_, AT)
    assert found.score == pytest.approx(score, abs=1e-9)
    assert found.level == level


@pytest.mark.parametrize(("days", "inside", "outside"), STEPS)
def test_each_step_of_recency_ends_to_the_microsecond(days, inside, outside):
    at = [scoring.score(WS142, replace(NOTHING, last_sign_in_at=AT - timedelta(days=days) + offset), AT).score for offset in (MICRO, timedelta(0), -MICRO)]
    assert at == [inside, outside, outside]


def test_points_to_the_next_level():
    assert [WS142.next_level(score) for score in (0, 39.5, 40, 69.5, 70)] == [("at_risk", 40), ("at_risk", 0.5), ("healthy", 30), ("healthy", 0.5), None]


STATUSES = [
    ({}, "ok"),
    ({"in_service": False}, "ended"),
    ({"in_service": False, "any_activity": False}, "ended"),
    ({"any_activity": False}, "insufficient_data"),
    ({"acted": False, "has_clients": False}, "ok"),
    ({"acted": False, "has_clients": False, "known_since": AT - 3 * DAY}, "ok"),
    ({"acted": False, "has_clients": False, "known_since": AT - 3 * DAY + MICRO}, "insufficient_data"),
    ({"acted": False, "has_clients": True, "known_since": AT}, "ok"),
    ({"acted": True, "has_clients": False, "known_since": AT}, "ok"),
]


@pytest.mark.parametrize(("changed", "status"), STATUSES)
def test_silence_is_not_unknown(changed, status):
    values = {"in_service": True, "known_since": AT - 12 * DAY, "acted": True, "has_clients": True, "any_activity": True} | changed
    assert scoring.status(**values, at=AT) == status


# ---------------------------------------------------------------- by SQL

PROPERTY = settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None)
edges = st.builds(lambda days, micro: AT - timedelta(days=days, microseconds=micro), st.sampled_from([0, 3, 7, 14, 30]), st.integers(-1, 1))
times = edges | st.integers(-300, 60 * 86_400).map(lambda seconds: AT - timedelta(seconds=seconds, microseconds=seconds % 7))
counts = st.integers(0, 12) | st.integers(0, 3) | st.integers(0, 2_000_000)
facts_rows = st.fixed_dictionaries({
    "in_service": st.booleans() | st.just(True),
    "known_since": times,
    "last_sign_in_at": st.none() | times,
    "first_activity_at": st.none() | times,
    "features": st.integers(0, 31) | st.integers(0, 2**63 - 1),
    **dict.fromkeys(assessments.INPUTS[2:], counts),
})  # fmt: skip
rows_of_suppliers = st.lists(
    st.tuples(
        facts_rows,
        st.sampled_from(["trial", "active", "past_due", "paused", "cancelled"]),
        st.none() | st.builds(lambda days, micro: AT + timedelta(days=days, microseconds=micro), st.sampled_from([-1, 0, 14, 15, 40]), st.integers(-1, 1)),
        st.none() | times,
    ),
    min_size=25, max_size=25,
)  # fmt: skip


@pytest.fixture
def everyone(db: None) -> list[int]:
    return [SupplierFactory().pk for _ in range(25)]


@PROPERTY
@given(rows=rows_of_suppliers, any_activity=st.booleans() | st.just(True))
def test_sql_gives_what_the_pure_function_gives(everyone, rows, any_activity):
    for pk, (values, *_) in zip(everyone, rows, strict=True):
        Facts.objects.filter(pk=pk).update(**values)
    assessments.write_scores(assessments.THESE, {"ids": everyone}, at=AT, any_activity=any_activity, scorecard=WS142)
    stored = Assessment.objects.in_bulk(everyone)
    for pk, (values, *_) in zip(everyone, rows, strict=True):
        made_from = Inputs(*(values[name] for name in assessments.INPUTS))
        status = scoring.status(
            in_service=values["in_service"], known_since=values["known_since"], acted=values["first_activity_at"] is not None,
            has_clients=values["clients_total"] > 0, any_activity=any_activity, at=AT,
        )  # fmt: skip
        score = scoring.score(WS142, made_from, AT) if status == "ok" else None
        found = stored[pk]
        assert (found.status, found.score, found.level) == (status, score and score.score, score and score.level)  # exactly, and so to 1e-9
        assert found.points == (list(score.parts) if score else None)


@PROPERTY
@given(rows=rows_of_suppliers)
def test_sql_gives_the_stage_the_pure_function_gives(everyone, rows):
    for pk, (values, status, trial_ends_at, renews_at) in zip(everyone, rows, strict=True):
        Supplier.objects.filter(pk=pk).update(status=status, created_at=values["known_since"], trial_ends_at=trial_ends_at, renews_at=renews_at)
    found = dict(db.rows(f"select s.id, {stages.stage_sql('%(at)s')} from success_supplier s", {"at": AT}))
    assert found == {
        pk: stages.stage(status=status, known_since=values["known_since"], trial_ends_at=trial, renews_at=renews, at=AT)
        for pk, (values, status, trial, renews) in zip(everyone, rows, strict=True)
    }


STAGES = [
    ({}, "active"),
    ({"status": "cancelled", "known_since": AT}, "lost"),
    ({"known_since": AT - 7 * DAY + MICRO}, "new"),
    ({"known_since": AT - 7 * DAY}, "active"),
    ({"status": "trial", "trial_ends_at": AT + 14 * DAY}, "at_end"),
    ({"status": "trial", "trial_ends_at": AT + 14 * DAY + MICRO}, "active"),
    ({"status": "trial", "trial_ends_at": AT - MICRO}, "active"),
    ({"status": "trial", "renews_at": AT + DAY}, "active"),
    ({"status": "active", "renews_at": AT}, "at_end"),
    ({"status": "active", "trial_ends_at": AT + DAY}, "active"),
    ({"status": "past_due", "renews_at": AT + DAY}, "at_end"),
]


@pytest.mark.parametrize(("changed", "stage"), STAGES)
def test_stages(changed, stage):
    values = {"status": "active", "known_since": AT - 100 * DAY, "trial_ends_at": None, "renews_at": None} | changed
    assert stages.stage(**values, at=AT) == stage


# ---------------------------------------------------------------- reasons


def said(
    made_from: Inputs, *, known: float = 100, window: int = 30, signed_up: bool = True, first: float | None = 90, use: risk.Use | None = None
) -> list[tuple[str, str]]:
    picture = risk.Picture(
        inputs=made_from, parts=WS142.parts(made_from, AT), window=window, known_since=AT - timedelta(days=known), signed_up=signed_up,
        first_activity_at=None if first is None else AT - timedelta(days=first), last_activity_at=AT, use=use, at=AT,
    )  # fmt: skip
    return [(reason.key, reason.text) for reason in risk.reasons(picture, WS142)]


REASONS = [
    (inputs(1, **ALL), {}, []),
    (inputs(16, **ALL), {}, [("login_recency", "last signed in 16 days ago, on 6 November")]),
    (inputs(15.5, **ALL), {}, [("login_recency", "last signed in 16 days ago, on 6 November")]),
    (inputs(3, **ALL), {}, [("login_recency", "last signed in 3 days ago, on 19 November")]),
    (inputs(400, **ALL), {"known": 500}, [("login_recency", "last signed in 400 days ago, on 18 October 2025")]),
    (inputs(**ALL), {"known": 12, "first": 12}, [("never_signed_in", "never signed in, signed up 12 days ago, on 10 November")]),
    (inputs(**ALL), {"known": 1, "first": 1, "signed_up": False}, [("never_signed_in", "never signed in, first seen 1 day ago, on 21 November")]),
    (inputs(1, **ALL | {"features": 0b0111}), {}, [("feature_adoption", "3 of 4 features used, not yet templates")]),
    (inputs(1, **ALL | {"features": 0b0001}), {}, [("feature_adoption", "1 of 4 features used, not yet client import, journeys and templates")]),
    (inputs(1, **ALL | {"features": 0}), {}, [("feature_adoption", "none of 4 features used, not yet forms, client import, journeys and templates")]),
    (inputs(1, **ALL | {"clients_active": 3}), {}, [("client_activity", "3 of 4 clients active since 23 October")]),
    (inputs(1, **ALL | {"clients_active": 0}), {"window": 7}, [("client_activity", "none of 4 clients active since 15 November")]),
    (inputs(1, **ALL | {"clients_total": 1, "clients_active": 0}), {}, [("client_activity", "the 1 client was not active since 23 October")]),
    (inputs(1, **ALL | {"clients_total": 0, "clients_active": 0}), {"known": 14, "first": 14},
     [("no_clients", "no clients on 22 November, signed up 14 days ago, on 8 November")]),
    (inputs(1, **ALL | {"forms_started": 7, "forms_completed": 0}), {}, [("form_completion", "no form completed of 7 started since 24 October")]),
    (inputs(1, **ALL | {"forms_started": 7}), {}, [("form_completion", "1 form completed of 7 started since 24 October")]),
    (inputs(1, **ALL | {"forms_started": 7, "forms_completed": 2}), {"known": 12, "first": 12},
     [("form_completion", "2 forms completed of 7 started since 10 November")]),
    (inputs(1, **ALL | {"steps_started": 0, "steps_completed": 0}), {"window": 90}, [("no_journey_performance", "no journey step started since 25 August")]),
    (inputs(1, **ALL), {"use": risk.Use(3, 20, 28)}, [("declining", "active on 3 of the last 14 days, since 9 November, against 20 of the 28 days before")]),
    (inputs(1, **ALL), {"use": risk.Use(0, 8, 16)}, [("declining", "active on none of the last 14 days, since 9 November, against 8 of the 16 days before")]),
    (inputs(1, **ALL), {"use": risk.Use(6, 20, 28)}, []),
    (inputs(1, **ALL), {"use": risk.Use(0, 3, 28)}, []),
    (inputs(), {"known": 12, "first": None}, [("not_started", "has not started: signed up 12 days ago, on 10 November, nothing since")]),
    (inputs(), {"known": 0.1, "first": None}, [("not_started", "has not started: signed up today, on 22 November, nothing since")]),
    (inputs(), {"known": 330, "first": None, "signed_up": False},
     [("not_started", "has not started: first seen 330 days ago, on 27 December 2025, nothing since")]),
    (
        inputs(40, clients_total=5, features=0b0001, forms_started=2), {"use": risk.Use(1, 10, 28)},
        [
            ("declining", "active on 1 of the last 14 days, since 9 November, against 10 of the 28 days before"),
            ("login_recency", "last signed in 40 days ago, on 13 October"),
            ("client_activity", "none of 5 clients active since 23 October"),
        ],
    ),
    (
        inputs(5), {"first": None},  # told of a sign-in by a trait alone: that is not nothing
        [
            ("feature_adoption", "none of 4 features used, not yet forms, client import, journeys and templates"),
            ("no_clients", "no clients on 22 November, signed up 100 days ago, on 14 August"),
            ("login_recency", "last signed in 5 days ago, on 17 November"),
        ],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("made_from", "about", "expected"), REASONS)
def test_reasons(made_from, about, expected):
    assert said(made_from, **about) == expected


@pytest.mark.parametrize(("known", "compared"), [(27.99, False), (28, True), (60, True)])
def test_decline_is_never_said_of_the_younger_than_28_days(db, known, compared):
    start = AT - timedelta(days=known)
    activity.ensure_partitions(now=AT)
    supplier = SupplierFactory(external_id="anna", created_at=start)
    record([Happening(n, "anna", "Form Created", start + n * DAY, None) for n in range(9)], SourceFactory(), AT)
    # What came from before she was known, by an import, counts for nothing.
    Supplier.objects.filter(pk=supplier.pk).update(first_seen_at=start)
    record([Happening(99, "anna", "Form Created", AT - 35 * DAY, None)], SourceFactory(), AT)
    Facts.objects.filter(pk=supplier.pk).update(known_since=start)
    found = metrics.use_of([supplier.pk], at=AT)
    assert (supplier.pk in found) is compared
    assert (risk.use(0, 9, start, AT) is not None) is compared
    if known == 28:
        assert found[supplier.pk] == (0, 9, 15)
        assert risk.declining(risk.Use(*found[supplier.pk]))


def test_the_days_compared_are_the_calendar_s():
    assert risk.use(1, 9, datetime(2026, 1, 1, tzinfo=UTC), AT) == risk.Use(1, 9, 28)
    assert metrics.window_start(AT, 30) == date(2026, 10, 24)
