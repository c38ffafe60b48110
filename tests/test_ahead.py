"""A day later: the clock of a developer's stack goes on for all its processes, what ends in the world does not, and nowhere else is there an offset."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest
import redis
from axes.models import AccessAttempt
from django.conf import settings as configured
from django.db import IntegrityError, transaction
from django.utils import timezone

from config.local import ahead
from config.local.models import Ahead
from config.local.playground import passing
from health.models import Closing
from success import clock, due, jobs, lockouts
from success.models import Activity, JobRun
from tests import callers
from tests.callers import Api
from tests.factories import SupplierFactory
from tests.server import ROOT, database_url
from tests.test_settings import PRODUCTION, run

DAY = timedelta(days=1)
SAY = "from success import clock; print(round((clock.now() - clock.real()).total_seconds()))"


@pytest.fixture
def two_days_later(committed: None) -> Iterator[None]:
    ahead.go_on(DAY)
    ahead.go_on(DAY)
    yield
    ahead.go_back()


@pytest.fixture
def queues() -> Iterator[redis.Redis]:
    """The broker, empty before and after."""
    broker = redis.Redis.from_url(configured.CELERY_BROKER_URL)
    broker.flushdb()
    yield broker
    broker.flushdb()
    broker.close()


def off() -> float:
    return round((clock.now() - clock.real()).total_seconds())


# ---------------------------------------------------------------- the offset


def test_every_process_knows(two_days_later):
    assert off() == 2 * 86_400
    env = {**os.environ, "DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "tests.settings"}
    other = subprocess.run([sys.executable, "-c", f"import django; django.setup(); {SAY}"], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    assert int(other.stdout) == 2 * 86_400
    ahead.go_back()
    assert off() == 0


def test_it_is_never_earlier_and_one_for_all(db):
    for wrong in (Ahead(pk=1, by=-DAY), Ahead(pk=2, by=DAY)):
        with pytest.raises(IntegrityError), transaction.atomic():
            wrong.save(force_insert=True)


def test_it_is_read_within_a_transaction_that_failed_and_without_a_database(two_days_later, monkeypatch):
    with pytest.raises(IntegrityError), transaction.atomic():
        try:
            Ahead(pk=2).save(force_insert=True)
        finally:
            ahead.forget()
            assert off() == 2 * 86_400
    monkeypatch.setattr(ahead.readiness, "parameters", lambda: {"host": "127.0.0.1", "port": 1})
    ahead._reading.close()
    ahead.forget()
    assert off() == 2 * 86_400  # as it was


def test_outside_development_there_is_none(two_days_later):
    """Whatever stands in the table: nothing of this room is there to read it."""
    ask = f"import config.wsgi, sys; {SAY}; print([name for name in sys.modules if name.startswith('config.local')])"
    done = run("-c", ask, **PRODUCTION | {"DATABASE_URL": database_url()})
    assert done.stdout.split("\n")[:2] == ["0", "[]"], done.stderr


# ---------------------------------------------------------------- what ends in the world


def test_keys_and_tokens_end_in_the_world(two_days_later):
    SupplierFactory(external_id="sarah")
    for credential in (callers.key(expires_at=clock.real() + DAY), callers.token("sarah")):
        assert Api(credential).get("/api/v1/suppliers/sarah/health/").status_code == 200
    assert Api(callers.expired_key()).get("/api/v1/suppliers/sarah/health/").status_code == 401


def test_who_is_locked_out_stays_so(two_days_later):
    AccessAttempt.objects.create(username="maya", ip_address="127.0.0.1", failures_since_start=9, attempt_time=timezone.now())
    assert [one.name for one in lockouts.active(at=clock.real())] == ["maya"]
    AccessAttempt.objects.all().delete()


def test_a_run_under_way_keeps_its_lease(committed):
    """Nobody takes it for dead because days passed."""
    job = jobs.find("success.partitions")
    held = jobs.claim(job, clock.now() - timedelta(seconds=1), at=clock.now())
    try:
        ahead.go_on(DAY)
        assert jobs.running(job, at=clock.now()) and jobs.run_due(job.key, at=clock.now()) == []
        JobRun.objects.filter(pk=held.pk).update(leased_until=clock.real())  # the deliberate break: its lease as it was
        assert jobs.run_due(job.key, at=clock.now())
    finally:
        ahead.go_back()


# ---------------------------------------------------------------- what follows the clock


def test_what_arrives_is_dated_by_it(two_days_later):
    key, now = callers.key(), clock.now()
    for n, at in enumerate([now - timedelta(hours=1), now + timedelta(minutes=9)]):
        sent = {"userId": "sarah", "event": f"Event {n}", "timestamp": at.isoformat()}
        assert Api(key).post("/v1/track", sent).status_code == 200
    first, second = Activity.objects.order_by("event_id")
    assert (first.clamped, first.occurred_at) == (False, now - timedelta(hours=1))
    assert second.clamped and second.occurred_at == second.received_at >= now


def test_a_day_later_all_jobs_are_asked_and_the_day_is_closed(committed, queues, settings):
    settings.DEBUG = True
    SupplierFactory(created_at=clock.real() - 9 * DAY)
    jobs.run_due("health.close_day", at=clock.now())
    try:
        for days in (1, 2):
            at = passing.a_day_later()
            assert off() == days * 86_400
            asked = {json.loads(message)["headers"]["kwargsrepr"] for queue in ("ingest", "score", "send", "sync") for message in queues.lrange(queue, 0, -1)}
            assert {f"{{'job': '{key}'}}" for key in ("health.close_day", "interventions.steps", "milestones.reconcile", *due.registered())} <= asked
            [closed] = jobs.run_due("health.close_day", at=at)
            assert closed.state == "done" and closed.slot.date() == at.date()
    finally:
        ahead.go_back()


def test_starting_again_leaves_no_day_to_come(committed):
    """Else a job would wait for its slot of a week hence, and a day would be taken for closed before it ended."""
    try:
        ahead.go_on(7 * DAY)
        for key in ("health.close_day", "health.assess"):
            jobs.run_due(key, at=clock.now())
    finally:
        ahead.go_back()
    assert not jobs.due(jobs.find("health.assess"), at=clock.real())
    passing.forget_days_to_come(at=clock.real())
    assert jobs.due(jobs.find("health.assess"), at=clock.real())
    assert not JobRun.objects.filter(slot__gt=clock.real()).exists() and not Closing.objects.filter(last_day__gte=clock.real().date()).exists()
