"""What load balancers and graphs see, with each part really broken."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
from django.db import connection

from success import activity, clock, limits, readiness
from success.models import DeadLetter, Delivery, Event, Facts, JobRun, Push, Supplier
from success.readiness import State
from success.stream.wire import SERVERS
from tests.factories import SupplierFactory

PARTS = {"database", "migrations", "partitions", "last_tick", "oldest_mark", "redis"}


def tick(*, ago: float = 1, **values) -> None:
    at = clock.now() - timedelta(seconds=ago)
    JobRun.objects.create(**{"job": "health.touched", "slot": at, "started_at": at, "leased_until": at, "finished_at": at, "state": "done"} | values)


@pytest.fixture
def fit(committed):
    """An installation of which nothing is wrong."""
    readiness.known_migrations()  # read from disk by a process's first answer
    activity.ensure_partitions(now=clock.now())
    tick()


def ask(client, *, status: int, **extra) -> dict:
    began = time.monotonic()
    response = client.get("/readyz", **extra)
    assert time.monotonic() - began < 2  # 0.9 s, and a busy machine
    assert response.status_code == status, response.content
    return json.loads(response.content)["checks"]


def wrong(client) -> dict[str, str]:
    return {name: check["detail"] for name, check in ask(client, status=503).items() if not check["ok"]}


@contextmanager
def database_at(port: int) -> Iterator[None]:
    """The database is looked for where it is not."""
    right = connection.settings_dict["PORT"]
    connection.settings_dict["PORT"] = port
    try:
        yield
    finally:
        connection.settings_dict["PORT"] = right


def test_a_fit_one_is_ready_and_alive(fit, client):
    parts = ask(client, status=200)
    assert set(parts) >= PARTS and all(part["ok"] for part in parts.values())
    assert client.get("/livez").json() == {"ok": True}
    assert client.post("/readyz").status_code == 405


def test_a_large_import_is_no_outage(fit, client):
    waiting = SupplierFactory()
    for seconds, quiet, status in ((200, True, 200), (200, False, 503), (3700, True, 503)):
        Facts.objects.filter(supplier=waiting).update(dirty_at=clock.now() - timedelta(seconds=seconds), dirty_quiet=quiet)
        ask(client, status=status)


def test_who_is_no_operator_may_not_ask_without_end(fit, client):
    answers = [client.get("/livez", REMOTE_ADDR="198.51.100.8") for _ in range(30)]
    assert {answer.status_code for answer in answers} == {200, 429}
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert client.get("/livez", REMOTE_ADDR="198.51.100.9").status_code == client.get("/livez").status_code == 200


def test_requests_are_counted_by_route_never_by_id(fit, client):
    client.get("/api/v1/suppliers/sarah-the-first/")
    text = client.get("/metrics").text
    assert 'django_http_requests_total_by_view_transport_method_total{method="GET",transport="http",view="supplier"}' in text
    assert "sarah-the-first" not in text


def test_strangers_see_names_only_and_no_metrics(fit, client, settings):
    settings.METRICS_TOKEN = "scraper"
    from_afar = {"REMOTE_ADDR": "198.51.100.7"}
    through_a_proxy = {"HTTP_X_FORWARDED_FOR": "127.0.0.1"}
    for stranger in (from_afar, through_a_proxy, from_afar | {"HTTP_AUTHORIZATION": "Bearer guess"}):
        assert ask(client, status=200, **stranger)["database"] == {"ok": True}
        assert client.get("/metrics", **stranger).status_code == 404
    scraper = from_afar | {"HTTP_AUTHORIZATION": "Bearer scraper"}
    assert "PostgreSQL" in ask(client, status=200, **scraper)["database"]["detail"]
    assert client.get("/metrics", **scraper).status_code == 200
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", **from_afar | {"HTTP_AUTHORIZATION": "Bearer "}).status_code == 404


def test_redis_is_away(fit, client, settings):
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    assert wrong(client) == {"redis": "ConnectionError"}


def test_redis_hangs(fit, client, settings, silent_port):
    settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{silent_port}/0"
    assert wrong(client) == {"redis": "TimeoutError"}


def test_the_database_is_away(fit, client):
    with database_at(1):
        assert set(wrong(client).values()) == {"OperationalError"}


def test_the_database_hangs(fit, client, silent_port):
    with database_at(silent_port):
        assert set(wrong(client).values()) == {"no answer in time"}
        assert wrong(client)["database"] == "an earlier check still waits for it"
        assert client.get("/livez").status_code == 200
    assert readiness._asking.acquire(timeout=10)  # it gave up
    readiness._asking.release()


@pytest.fixture
def silent_port():
    """A server that takes a connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_one_part_hangs_behind_a_lock_and_the_others_are_told(fit, client):
    with psycopg.connect(**readiness.parameters()) as other:
        other.execute("lock table success_facts")
        assert set(wrong(client)) <= {"oldest_mark"} | (readiness._checks.keys() - PARTS)
    assert readiness._asking.acquire(timeout=10)
    readiness._asking.release()
    ask(client, status=200)


def test_a_migration_is_missing(fit, client):
    with connection.cursor() as cursor:
        cursor.execute("delete from django_migrations where app = 'success' and name = '0003_catalogue' returning id, app, name, applied")
        row = cursor.fetchone()
        try:
            assert wrong(client) == {"migrations": "1 not applied, first success.0003_catalogue"}
        finally:
            cursor.execute("insert into django_migrations (id, app, name, applied) values (%s, %s, %s, %s)", row)


def test_next_months_partition_is_missing(fit, client):
    following = (clock.now().replace(day=1) + timedelta(days=32)).strftime("%Y_%m")
    with connection.cursor() as cursor:
        cursor.execute(f"drop table success_activity_{following}")
    assert wrong(client) == {"partitions": "1 of this month and the next missing"}
    activity.ensure_partitions(now=clock.now())
    ask(client, status=200)


def test_beat_or_the_worker_stands_still(fit, client):
    JobRun.objects.all().delete()
    assert wrong(client) == {"last_tick": "no job ever ran"}
    tick(ago=65)
    assert wrong(client) == {"last_tick": "65 s ago"}


def test_scores_are_late(fit, client):
    SupplierFactory(changed_at=clock.now() - timedelta(seconds=59))
    ask(client, status=200)
    Facts.objects.update(dirty_at=clock.now() - timedelta(seconds=61), dirty_quiet=False)
    assert wrong(client) == {"oldest_mark": "61 s, with imports 61 s"}


def test_another_apps_check_counts_and_one_that_fails_is_not_fit(fit, client, monkeypatch):
    monkeypatch.setattr(readiness, "_checks", dict(readiness._checks))
    readiness.register("moon", lambda cursor, at: State(False, "new"))
    readiness.register("sun", lambda cursor, at: 1 / 0)
    assert wrong(client) == {"moon": "new", "sun": "ZeroDivisionError"}


def of_these(name):
    """Counts, of due work those of deliveries."""
    counts = name.startswith("success_") and "seconds" not in name and "accepted" not in name
    return counts and "open_streams" not in name and ("due_rows" not in name or "success.deliver" in name)


def test_metrics_tell_what_graphs_need(committed, client):
    now = clock.now()
    SupplierFactory.create_batch(2, changed_at=now - timedelta(seconds=40))
    DeadLetter.objects.create(received_at=now, messages=[], sqlstate="23514", error="")
    tick(ago=7, state="failed")
    tick(ago=9, failures=[{"supplier": 1, "reason": "odd"}])
    tick(ago=90_000, state="failed")
    event = Event.objects.create(name="a.test", at=now, payload={})
    states = {"queued": -30, "claimed": -30, "refused": -90, "unknown": -90, "later": 60, "accepted": -200}
    for state, seconds in states.items():
        due_at = now + timedelta(seconds=seconds)
        Delivery.objects.create(event=event, subscriber=state, state="queued" if state == "later" else state, due_at=due_at)
    Push.objects.create(supplier=Supplier.objects.first(), event="coach", key="waits", at=now - timedelta(seconds=20))
    Push.objects.create(supplier=Supplier.objects.first(), event="coach", key="later", at=now + timedelta(seconds=60))
    limits.client().hset(SERVERS, mapping={"one:1": f"12 {int(time.time())}", "dead:2": f"7 {int(time.time()) - 60}"})
    lines = client.get("/metrics").content.decode().splitlines()
    values = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    assert {name: float(values[name]) for name in values if of_these(name)} == {
        "success_database_up": 1,
        "success_dirty_marks": 2,
        "success_dead_letters": 1,
        "success_pushes_waiting": 1,
        'success_job_runs_failed{job="health.touched"}': 1,
        'success_job_suppliers_failed{job="health.touched"}': 1,
        **{f'success_due_rows{{kind="success.deliver",state="{state}"}}': n for state, n in {"due": 1, "later": 1, "claimed": 1, "needs_a_person": 2}.items()},
    }
    assert 30 <= float(values['success_oldest_due_seconds{kind="success.deliver"}']) < 40
    assert 40 <= float(values["success_oldest_dirty_mark_seconds"]) < 50
    assert 20 <= float(values["success_oldest_push_seconds"]) < 30
    assert {name: float(values[name]) for name in values if "open_streams" in name} == {'success_open_streams{server="one:1"}': 12}
    assert 7 <= float(values['success_job_age_seconds{job="health.touched"}']) < 17
    assert float(values["success_activity_accepted_total"]) >= 0
    assert any(name.startswith("python_info") for name in values)


def test_metrics_without_a_database_say_so(fit, client):
    connection.close()
    with database_at(1):
        assert "success_database_up 0.0" in client.get("/metrics").content.decode()
