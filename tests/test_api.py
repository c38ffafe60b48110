"""The REST API: lists, suppliers, their clients, and health against values worked out by hand, to the second."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from health.assessments import assess_touched
from health.models import Snapshot
from success import activity, clock
from success.models import Client, ClientDay, Contact, Event, Source, Supplier
from tests import callers
from tests.callers import Api
from tests.factories import SourceFactory, StaffFactory, SupplierFactory

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
STEPS = [(3, 30, 20, 20), (7, 20, 10, 10), (14, 10, 5, 5), (30, 5, 0, 0)]  # days; points a second before, then, a second after
FEATURES = ["Form Created", "Clients Imported", "Journey Created", "Template Used"]


@pytest.fixture
def travel(db):
    """The clock stands at NOW until it is moved."""
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def api(travel):
    return Api(callers.key())


@pytest.fixture
def source(db):
    return SourceFactory()


class Story:
    """What a supplier did, told as the product tells it."""

    def __init__(self, name: str, api: Api, **traits) -> None:
        self.name, self.api = name, api
        self.say("identify", traits={"created_at": (NOW - timedelta(days=100)).isoformat()} | traits)

    def say(self, kind: str, **message) -> None:
        answer = self.api.post(f"/v1/{kind}", {"userId": self.name} | message)
        assert answer.status_code == 200, answer.content

    def did(self, event: str, ago: timedelta = timedelta(0), times: int = 1, **properties) -> "Story":
        for _ in range(times):
            self.say("track", event=event, timestamp=(NOW - ago).isoformat(), properties=properties)
        return self

    def has(self, **clients: timedelta | None) -> "Story":
        sent = [{"client_id": name, "last_activity_at": None if ago is None else (NOW - ago).isoformat()} for name, ago in clients.items()]
        assert self.api("PUT", f"/api/v1/suppliers/{self.name}/clients/", {"clients": sent}).status_code == 200
        return self

    def health(self, time_range: str = "30d", breakdown: bool = True) -> dict:
        answer = self.api.get(f"/api/v1/suppliers/{self.name}/health/?time_range={time_range}&include_breakdown={str(breakdown).lower()}")
        assert answer.status_code == 200, answer.content
        return answer.json()

    def parts(self, time_range: str = "30d") -> dict[str, float]:
        return {part["key"]: part["points"] for part in self.health(time_range)["parts"]}


@pytest.fixture
def sarah(api):
    return Story("sarah", api)


# ---------------------------------------------------------------- health: each component, by hand


@pytest.mark.parametrize(
    ("ago", "points"),
    [
        (timedelta(0), 30),
        *((timedelta(days=days) + shift, points) for days, *after in STEPS for shift, points in zip((-SECOND, timedelta(0), SECOND), after, strict=True)),
        (timedelta(days=80), 0),
        (-timedelta(minutes=5), 30),
    ],
)  # fmt: skip
@pytest.mark.parametrize("time_range", ["7d", "30d", "90d"])
def test_sign_in_steps_to_the_second(sarah, ago, points, time_range):
    sarah.did("Signed In", ago)
    assert sarah.parts(time_range) == {"login_recency": points, "feature_adoption": 0, "client_activity": 0, "form_completion": 0, "journey_performance": 0}


def test_the_same_supplier_as_time_passes(sarah, travel):
    sarah.did("Signed In")
    seen = []
    for days in (3, 7, 14, 30):
        for shift in (-SECOND, timedelta(0)):
            travel.move_to(NOW + timedelta(days=days) + shift, tick=False)
            seen.append(sarah.parts()["login_recency"])
    assert seen == [30, 20, 20, 10, 10, 5, 5, 0]


@pytest.mark.parametrize("count", range(5))
def test_features_ever_used(sarah, count):
    sarah.did("Petted the Cat")
    for feature in FEATURES[:count]:
        sarah.did(feature, timedelta(days=300), times=2)
    assert [sarah.parts(time_range)["feature_adoption"] for time_range in ("7d", "30d", "90d")] == [25 * count / 4] * 3


@pytest.mark.parametrize("time_range", ["7d", "30d", "90d"])
def test_a_client_is_active_to_the_second(sarah, time_range):
    window = timedelta(days=int(time_range[:-1]))
    sarah.did("Petted the Cat").has(at_the_edge=window, just_out=window + SECOND, within=window - SECOND, never=None)
    assert sarah.parts(time_range)["client_activity"] == 25 * 2 / 4
    inputs = next(part["inputs"] for part in sarah.health(time_range)["parts"] if part["key"] == "client_activity")
    assert inputs == {"clients_active": 2, "clients_total": 4}


@pytest.mark.parametrize("time_range", ["7d", "30d", "90d"])
def test_a_client_leaves_the_window_between_two_reads(sarah, travel, time_range):
    window = timedelta(days=int(time_range[:-1]))
    sarah.did("Petted the Cat").has(leaving=window - timedelta(seconds=2), staying=timedelta(0))
    for later, points in [(0, 25), (2, 25), (3, 12.5)]:
        travel.move_to(NOW + timedelta(seconds=later), tick=False)
        assert sarah.parts(time_range)["client_activity"] == points


@pytest.mark.parametrize(("time_range", "days"), [("7d", 7), ("30d", 30), ("90d", 90)])
@pytest.mark.parametrize(
    ("started", "completed", "key"),
    [("Form Started", "Form Completed", "form_completion"), ("Journey Step Started", "Journey Step Completed", "journey_performance")],
)
def test_submissions_count_by_utc_day(sarah, time_range, days, started, completed, key):
    """Today and the days - 1 before, from midnight UTC; the second before that midnight is out."""
    midnight = NOW.replace(hour=0) - timedelta(days=days - 1)
    sarah.did(started, NOW - midnight, times=4).did(completed, NOW - midnight).did(completed, NOW - midnight + SECOND, times=3)
    assert sarah.parts(time_range)[key] == 10 * 1 / 4
    sarah.did(completed, times=4)
    assert sarah.parts(time_range)[key] == 10  # 5 of 4: as completed where that is more


SCORES = [  # hand-computed: what was done, the score, the level
    ({}, 0, "critical"),
    ({"signed": 0}, 30, "critical"),
    ({"signed": 0, "forms": (1, 1)}, 40, "at_risk"),
    ({"signed": 0, "forms": (10_000, 9_999)}, 39.999, "critical"),
    ({"signed": 0, "features": 4, "clients": (5, 1)}, 60, "at_risk"),
    ({"signed": 0, "features": 4, "clients": (5, 1), "forms": (1, 1)}, 70, "healthy"),
    ({"signed": 0, "features": 4, "clients": (5, 1), "forms": (10_000, 9_999)}, 69.999, "at_risk"),
    ({"signed": 2, "features": 3, "clients": (5, 3), "forms": (5, 4), "steps": (5, 2)}, 30 + 18.75 + 15 + 8 + 4, "healthy"),  # the brief's own example
    ({"signed": 0, "features": 4, "clients": (3, 3), "forms": (2, 2), "steps": (1, 1)}, 100, "healthy"),
    ({"signed": 7, "features": 2, "clients": (3, 1), "forms": (3, 1), "steps": (7, 3)}, 10 + 12.5 + 25 / 3 + 10 / 3 + 30 / 7, "critical"),
    ({"features": 4, "clients": (2, 2), "forms": (1, 1), "steps": (1, 1)}, 70, "healthy"),  # never signed in
]


@pytest.mark.parametrize(("done", "score", "level"), SCORES, ids=str)
def test_scores_worked_out_by_hand(sarah, done, score, level):
    sarah.did("Petted the Cat", timedelta(days=95))
    if "signed" in done:
        sarah.did("Signed In", timedelta(days=done["signed"]))
    for feature in FEATURES[: done.get("features", 0)]:
        sarah.did(feature)
    total, active = done.get("clients", (0, 0))
    sarah.has(**{f"c{n}": timedelta(days=1) if n < active else None for n in range(total)})
    for kind, name in [("forms", "Form"), ("steps", "Journey Step")]:
        for event, times in zip((f"{name} Started", f"{name} Completed"), done.get(kind, (0, 0)), strict=True):
            record("sarah", event, times)
    health = sarah.health()
    assert health["score"] == pytest.approx(score, abs=1e-9)
    assert (health["level"], health["status"]) == (level, "ok")
    better = {"critical": ("at_risk", 40), "at_risk": ("healthy", 70), "healthy": None}[level]
    if better is None:
        assert health["to_next_level"] is None
    else:
        assert health["to_next_level"] == {"level": better[0], "points": pytest.approx(better[1] - score, abs=1e-9)}


def record(supplier: str, event: str, times: int) -> None:
    """So many events at once, straight to the operation."""
    source = Source.objects.first()
    for first in range(0, times, 1000):
        raw = [b'{"type":"track","userId":"%s","event":"%s"}' % (supplier.encode(), event.encode())] * min(1000, times - first)
        assert activity.take(raw, kind=None, source=source, received_at=NOW).accepted == len(raw)


# ---------------------------------------------------------------- health: the rest of the answer


def test_the_whole_answer(sarah):
    sarah.did("Signed In", timedelta(days=16)).did("Form Created", timedelta(days=20)).has(c1=timedelta(days=2), c2=None)
    health = sarah.health()
    assert health.pop("reasons")[0].keys() == {"key", "text", "component"}
    parts = health.pop("parts")
    assert [set(part) for part in parts] == [{"key", "points", "max", "inputs"}] * 5
    assert sum(part["points"] for part in parts) == health["score"] and sum(part["max"] for part in parts) == 100
    assert health == {
        "supplier": "sarah",
        "time_range": "30d",
        "status": "ok",
        "score": 5 + 6.25 + 12.5,
        "level": "critical",
        "stage": "active",
        "override": None,
        "trend": None,
        "to_next_level": {"level": "at_risk", "points": 40 - 23.75},
        "coverage": {"share": pytest.approx(0.6), "missing": ["form_completion", "journey_performance"], "last_event_at": "2026-11-07T12:00:00Z"},
        "scorecard": {"key": "ws142", "version": 1},
        "computed_at": "2026-11-23T12:00:00Z",
    }
    assert "parts" not in sarah.health(breakdown=False)
    assert "parts" not in sarah.api.get("/api/v1/suppliers/sarah/health/").json()
    assert sarah.api.get("/api/v1/suppliers/sarah/health/").json()["time_range"] == "30d"


def test_reasons_are_at_most_three_with_her_own_numbers(sarah):
    sarah.did("Signed In", timedelta(days=17)).did("Form Started", times=7)
    told = [reason["text"] for reason in sarah.health()["reasons"]]
    assert len(told) == 3
    assert "last signed in 17 days ago, on 6 November" in told


def test_it_reflects_everything_committed_before_the_request(sarah):
    assert sarah.did("Signed In", timedelta(days=50)).health()["score"] == 0
    assert sarah.did("Signed In").health()["score"] == 30
    assert sarah.has(c1=timedelta(0)).health()["score"] == 55
    sarah.api("DELETE", "/api/v1/suppliers/sarah/clients/c1/")
    assert sarah.health()["score"] == 30


def test_silence_is_unknown_for_three_days_and_then_a_fact(api, travel):
    sarah = Story("sarah", api, created_at=NOW.isoformat())
    first = sarah.health()
    assert (first["status"], first["score"], first["level"], first["reasons"], first["to_next_level"]) == ("insufficient_data", None, None, [], None)
    Story("somebody", api).did("Signed In")  # a source has sent activity
    for later, status in [(3 * timedelta(days=1) - SECOND, "insufficient_data"), (timedelta(days=3), "ok")]:
        travel.move_to(NOW + later, tick=False)
        assert sarah.health()["status"] == status
    travel.move_to(NOW + timedelta(days=12), tick=False)
    health = sarah.health()
    assert (health["score"], health["level"]) == (0, "critical")
    assert [(reason["key"], reason["component"]) for reason in health["reasons"]] == [("not_started", None)]
    assert "signed up 12 days ago" in health["reasons"][0]["text"]


def test_without_any_source_nothing_is_known(sarah, travel):
    travel.move_to(NOW + timedelta(days=50), tick=False)
    assert sarah.has(c1=timedelta(0)).health()["status"] == "insufficient_data"


@pytest.mark.parametrize(("traits", "stage"), [({"status": "cancelled"}, "lost"), ({"status": "paused"}, "active"), ({"internal": True}, "active")])
def test_who_is_not_in_service_has_ended(sarah, traits, stage):
    sarah.did("Signed In")
    sarah.say("identify", traits=traits)
    health = sarah.health()
    assert (health["status"], health["score"], health["level"], health["stage"], health["trend"]) == ("ended", None, None, stage, None)
    assert health["coverage"]["last_event_at"] == "2026-11-23T12:00:00Z"
    sarah.say("identify", traits={"status": "active", "internal": False})
    assert sarah.health()["score"] == 30


@pytest.mark.parametrize(
    ("traits", "stage"),
    [
        ({"created_at": (NOW - timedelta(days=7) + SECOND).isoformat()}, "new"),
        ({"created_at": (NOW - timedelta(days=7)).isoformat()}, "active"),
        ({"status": "trial", "trial_ends_at": (NOW + timedelta(days=14)).isoformat()}, "at_end"),
        ({"status": "trial", "trial_ends_at": (NOW + timedelta(days=14) + SECOND).isoformat()}, "active"),
        ({"status": "active", "trial_ends_at": (NOW + timedelta(days=3)).isoformat()}, "active"),
        ({"status": "active", "renews_at": (NOW + timedelta(days=3)).isoformat()}, "at_end"),
        ({"status": "active", "renews_at": (NOW - SECOND).isoformat()}, "active"),
    ],
)
def test_stages_in_health_and_in_lists_are_the_same(api, traits, stage):
    told = Story("sarah", api, **traits)
    assert told.health()["stage"] == stage
    assert api.get("/api/v1/suppliers/sarah/").json()["stage"] == stage
    assert [one["id"] for one in api.get(f"/api/v1/suppliers/?stage={stage}").json()["results"]] == ["sarah"]


def test_the_trend_is_against_the_last_day_kept_a_week_ago(sarah):
    sarah.did("Signed In")
    supplier = Supplier.objects.get()
    common = {"supplier": supplier, "scorecard": "ws142", "version": 1, "status": "ok", "level": "critical"}
    for day, score in [(date(2026, 11, 10), 5.0), (date(2026, 11, 16), 12.5), (date(2026, 11, 17), 99.0)]:
        Snapshot.objects.create(day=day, score=score, **common, **blank_inputs())
    assert sarah.health()["trend"] == {"change": 17.5, "since": "2026-11-16"}
    assert sarah.health("7d")["trend"] is None  # only the window that is stored has a past


def blank_inputs() -> dict:
    counts = ("features", "clients_active", "clients_total", "forms_started", "forms_completed", "steps_started", "steps_completed")
    return dict.fromkeys(counts, 0) | {"points": [0.0] * 5}


def test_history_day_by_day(sarah):
    sarah.did("Signed In")
    supplier = Supplier.objects.get()
    for day in (date(2026, 8, 25), date(2026, 8, 26), date(2026, 11, 22)):
        Snapshot.objects.create(supplier=supplier, day=day, score=30.0, scorecard="ws142", version=1, status="ok", level="critical", **blank_inputs())
    answer = sarah.api.get("/api/v1/suppliers/sarah/health/history/").json()
    assert answer["next"] is None
    assert [set(row) for row in answer["results"]] == [{"day", "score", "level", "parts", "moved"}] * len(answer["results"])
    assert answer["results"][-1]["day"] == "2026-11-22"
    assert sarah.api.get("/api/v1/suppliers/nobody/health/history/").status_code == 404


# ---------------------------------------------------------------- the list


def ids(api, query: str = "") -> list[str]:
    answer = api.get(f"/api/v1/suppliers/{query}")
    assert answer.status_code == 200, answer.content
    return [one["id"] for one in answer.json()["results"]]


@pytest.fixture
def crowd(api):
    maria = StaffFactory(username="maria")
    SupplierFactory(external_id="healthy", plan="pro", owner=maria)
    SupplierFactory(external_id="risky", plan="basic", created_at=NOW - timedelta(days=2))
    SupplierFactory(external_id="gone", status="cancelled")
    SupplierFactory(external_id="paused", status="paused")
    SupplierFactory(external_id="ours", internal=True)
    for name, events in [("healthy", ["Signed In", *FEATURES, "Form Completed", "Journey Step Completed"]), ("risky", ["Signed In"])]:
        for event in events:
            record(name, event, 1)
    assess_touched(at=NOW)
    return api


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["healthy", "risky"]),
        ("?level=healthy", ["healthy"]),
        ("?level=critical", ["risky"]),
        ("?level=at_risk", []),
        ("?stage=new", ["risky"]),
        ("?stage=active", ["healthy"]),
        ("?stage=lost", ["gone"]),
        ("?owner=maria", ["healthy"]),
        ("?owner=nobody", []),
        ("?plan=pro", ["healthy"]),
        ("?plan=basic&level=critical&stage=new", ["risky"]),
        ("?plan=basic&level=healthy", []),
        ("?changed_after=2026-11-23T11:59:59Z", ["healthy", "risky", "gone", "paused", "ours"]),  # assessed since, those out of service as ended
        ("?changed_after=2026-11-23T12:00:00Z", []),
        ("?changed_after=2026-05-01T00:00:00Z", ["healthy", "risky", "gone", "paused", "ours"]),
    ],
)
def test_filters(crowd, query, expected):
    assert ids(crowd, query) == expected


def test_a_row_of_the_list_is_the_supplier(crowd):
    rows = crowd.get("/api/v1/suppliers/").json()["results"]
    for row in rows:
        assert crowd.get(f"/api/v1/suppliers/{row['id']}/").json() == row
    assert rows[0] == {
        "id": "healthy", "plan": "pro", "vertical": "photographer", "status": "active", "stage": "active", "owner": "maria",
        "created_at": "2026-06-01T00:00:00Z", "trial_ends_at": None, "renews_at": None, "mrr": None, "currency": "",
        "score": 75.0, "level": "healthy", "next_milestone": "profile_complete",
    }  # fmt: skip
    assert crowd.get("/api/v1/suppliers/gone/").json()["stage"] == "lost"


def test_pages_follow_next_to_the_end(api):
    names = [SupplierFactory(plan="pro").external_id for _ in range(7)]
    SupplierFactory(plan="basic")
    seen, path = [], "/api/v1/suppliers/?plan=pro&limit=3"
    for left in (4, 1, None):
        page = api.get(path).json()
        seen += [one["id"] for one in page["results"]]
        assert (page["next"] is None) == (left is None)
        path = (page["next"] or "").removeprefix("http://testserver")
    assert seen == names
    assert api.get("/api/v1/suppliers/?plan=pro&limit=7").json()["next"] is None


def test_the_summary_counts_who_is_in_service(crowd):
    summary = crowd.get("/api/v1/health/summary/").json()
    assert summary["levels"] == {"critical": 1, "at_risk": 0, "healthy": 1, "none": 0}
    assert summary["stages"] == {"new": 1, "active": 1, "at_end": 0, "lost": 1}
    assert summary["left_out"] == {"cancelled": 1, "paused": 1, "internal": 1}
    assert summary["movement"] == [{"from": "none", "to": "critical", "count": 1}, {"from": "none", "to": "healthy", "count": 1}]


# ---------------------------------------------------------------- changing a supplier


def test_a_change_is_partial_and_dated(api):
    StaffFactory(username="maria")
    SupplierFactory(external_id="sarah")
    change = {"plan": "basic", "vertical": "florist", "status": "trial", "owner": "maria", "mrr": 49.5, "currency": "EUR"}
    change["trial_ends_at"] = "2026-12-01T10:00:00+01:00"
    answer = api("PATCH", "/api/v1/suppliers/sarah/", change)
    assert answer.status_code == 200
    assert {name: answer.json()[name] for name in change} == change | {"trial_ends_at": "2026-12-01T09:00:00Z"}
    assert Supplier.objects.get().changed_at == NOW
    assert api("PATCH", "/api/v1/suppliers/sarah/", {"owner": None, "mrr": None, "trial_ends_at": None, "plan": ""}).json()["plan"] == ""
    kept = api.get("/api/v1/suppliers/sarah/").json()
    assert (kept["owner"], kept["mrr"], kept["trial_ends_at"], kept["vertical"]) == (None, None, None, "florist")
    assert api("PATCH", "/api/v1/suppliers/nobody/", {"plan": "x"}).status_code == 404
    assert api("PATCH", "/api/v1/suppliers/sarah/", {}).status_code == 200


def test_leaving_and_returning_are_published(api):
    SupplierFactory(external_id="sarah")
    for status in ("cancelled", "cancelled", "active"):
        assert api("PATCH", "/api/v1/suppliers/sarah/", {"status": status}).json()["status"] == status
    assert list(Event.objects.order_by("pk").values_list("name", flat=True)) == ["success.supplier_cancelled", "success.supplier_returned"]


# ---------------------------------------------------------------- clients


def put(api, *sent, supplier: str = "sarah") -> dict:
    answer = api("PUT", f"/api/v1/suppliers/{supplier}/clients/", {"clients": list(sent)})
    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert told["added"] + told["updated"] + told["unchanged"] + len(told["refused"]) == len(sent)
    return told


def at(**ago) -> str:
    return (NOW - timedelta(**ago)).isoformat()


def test_clients_are_added_and_updated_and_no_time_moves_back(api):
    told = put(api, {"client_id": "c1", "last_activity_at": at(days=5)}, {"client_id": "c2", "last_activity_at": None}, {"client_id": "c3"})
    assert told == {"added": 3, "updated": 0, "unchanged": 0, "refused": []}
    assert Supplier.objects.get().external_id == "sarah"  # not seen before, and made
    told = put(api, {"client_id": "c1", "last_activity_at": at(days=9)}, {"client_id": "c2", "last_activity_at": at(days=1)}, {"client_id": "c3"})
    assert told == {"added": 0, "updated": 1, "unchanged": 2, "refused": []}
    times = dict(Client.objects.values_list("external_id", "last_activity_at"))
    assert times == {"c1": NOW - timedelta(days=5), "c2": NOW - timedelta(days=1), "c3": None}
    assert put(api, {"client_id": "c1", "last_activity_at": None})["unchanged"] == 1
    assert Client.objects.get(external_id="c1").last_activity_at == NOW - timedelta(days=5)


def test_of_a_client_sent_twice_the_later_time_counts(api):
    sent = [{"client_id": "c", "last_activity_at": time} for time in (at(days=5), None, at(days=2), at(days=3))]
    assert put(api, *sent) == {"added": 1, "updated": 0, "unchanged": 3, "refused": []}
    assert Client.objects.get().last_activity_at == NOW - timedelta(days=2)


BAD_CLIENTS = [
    ("text", ""), (5, ""), (None, ""), ([], ""), ({}, "/client_id"), ({"client_id": ""}, "/client_id"), ({"client_id": None}, "/client_id"),
    ({"client_id": 5}, "/client_id"),
    ({"client_id": "x" * 129}, "/client_id"), ({"client_id": "a\0b"}, "/client_id"), ({"client_id": "c", "name": "Ann"}, ""),
    ({"client_id": "c", "last_activity_at": "soon"}, "/last_activity_at"), ({"client_id": "c", "last_activity_at": "2026-11-01T10:00:00"}, "/last_activity_at"),
    ({"client_id": "c", "last_activity_at": "1999-12-31T00:00:00Z"}, "/last_activity_at"), ({"client_id": "c", "last_activity_at": 5}, "/last_activity_at"),
]  # fmt: skip


@pytest.mark.parametrize(("bad", "pointer"), BAD_CLIENTS, ids=str)
def test_a_bad_client_is_refused_alone(api, bad, pointer):
    told = put(api, {"client_id": "good"}, bad, {"client_id": "better"})
    assert (told["added"], [(one["index"], one["errors"][0]["pointer"]) for one in told["refused"]]) == (2, [(1, pointer)])


@pytest.mark.parametrize("body", [{}, {"clients": None}, {"clients": "x"}, {"clients": {}}, {"clients": [], "more": 1}, []])
def test_a_body_without_clients(api, body):
    assert api("PUT", "/api/v1/suppliers/sarah/clients/", body).status_code == 422
    assert not Supplier.objects.exists()


def test_a_time_ahead_is_that_of_receipt(api):
    put(api, {"client_id": "c", "last_activity_at": (NOW + timedelta(days=2)).isoformat()})
    assert Client.objects.get().last_activity_at == NOW


def test_a_thousand_at_once(api):
    assert put(api, *({"client_id": f"c{n}", "last_activity_at": at(days=n % 60)} for n in range(1000)))["added"] == 1000


def test_archived_and_returned(sarah, travel):
    path = "/api/v1/suppliers/sarah/clients/c1/"
    sarah.did("Signed In").has(c1=timedelta(days=1), c2=None)
    assert sarah.parts()["client_activity"] == 12.5
    assert sarah.api("DELETE", path).status_code == 204
    assert sarah.parts()["client_activity"] == 0
    assert [sarah.api("DELETE", path).status_code, sarah.api("DELETE", path.replace("c1", "c9")).status_code] == [404, 404]
    assert sarah.api("DELETE", path.replace("sarah", "nobody")).status_code == 404
    assert ClientDay.objects.filter(client__external_id="c1").count() == 2  # its history stays
    assert put(sarah.api, {"client_id": "c1", "last_activity_at": None}) == {"added": 0, "updated": 1, "unchanged": 0, "refused": []}
    assert sarah.parts()["client_activity"] == 12.5
    sarah.api("DELETE", path)
    sarah.did("Client Active", SECOND, client_id="c1")  # from before: late news of a client that is gone
    assert sarah.parts()["client_activity"] == 0
    travel.shift(60)
    sarah.did("Client Active", -SECOND, client_id="c1")
    assert sarah.parts()["client_activity"] == 12.5


def test_clients_have_no_names(api):
    put(api, {"client_id": "c1"})
    assert {field.name for field in Client._meta.get_fields()} >= {"external_id", "last_activity_at"}
    assert not {"name", "email"} & {field.name for field in Client._meta.get_fields()}
    assert not Contact.objects.exists()
    assert clock.now() == NOW
