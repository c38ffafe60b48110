"""Beat and workers as they run in production, as processes of their own: an edited row moves the runs, two beats and a killed one change nothing."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta

import pytest
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from config.local.valkey import find_binary
from success.models import JobRun
from tests.factories import SupplierFactory
from tests.server import ROOT, database_url, free_port

CELERY = [sys.executable, "-m", "celery", "--quiet", "-A", "config"]
WORKER = [*CELERY, "worker", "--pool", "prefork", "--concurrency", "2", "--queues", "score", "--without-mingle", "--without-gossip"]
BEAT = [*CELERY, "beat", "--scheduler", "django_celery_beat.schedulers:DatabaseScheduler", "--max-interval", "1"]


@pytest.fixture
def start(committed, tmp_path):
    """Starts processes on the test database and on a broker of their own; ends them."""
    port = free_port()
    env = {**os.environ, "DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "tests.settings", "REDIS_URL": f"redis://127.0.0.1:{port}"}
    quiet = {"env": env, "cwd": ROOT, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with ExitStack() as running:

        def start_one(command: list[str], **more: str) -> "subprocess.Popen[bytes]":
            process = subprocess.Popen(command, **{**quiet, "env": env | more})
            running.callback(process.wait, 20)
            running.callback(process.terminate)
            return process

        start_one([str(find_binary()), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)])
        yield start_one


@pytest.fixture
def only_scoring(committed):
    """Of the schedule only the run over all suppliers, every ten minutes; all of it as it was afterwards."""
    before = list(PeriodicTask.objects.values("pk", "enabled", "interval_id"))
    PeriodicTask.objects.exclude(name="health.assess").update(enabled=False)
    yield PeriodicTask.objects.get(name="health.assess")
    for row in before:
        PeriodicTask.objects.filter(pk=row.pop("pk")).update(**row, last_run_at=None)


def slots() -> list[float]:
    return [slot.timestamp() for slot in JobRun.objects.filter(job="health.assess").order_by("slot").values_list("slot", flat=True)]


def until(condition: Callable[[], bool], *, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, slots()
        time.sleep(0.1)


def move(task: PeriodicTask, *, every: int) -> None:
    task.refresh_from_db()
    task.interval, _ = IntervalSchedule.objects.get_or_create(every=every, period="seconds")
    task.save()  # as the admin does


def test_editing_a_row_moves_the_runs_under_two_beats_of_which_one_is_killed(start, only_scoring):
    SupplierFactory()
    start(WORKER)
    first, _ = start(BEAT), start(BEAT)
    move(only_scoring, every=1)
    until(lambda: len(slots()) >= 4)
    first.kill()
    seen = len(slots())
    until(lambda: len(slots()) >= seen + 3)
    move(only_scoring, every=3)
    seen = len(slots())
    until(lambda: len(slots()) >= seen + 4)
    assert all(slot % 1 == 0 for slot in slots())
    assert {later - earlier for earlier, later in zip(slots()[-3:], slots()[-2:], strict=False)} == {3}
    assert set(JobRun.objects.values_list("attempts", "state")) <= {(1, "done"), (1, "running")}
    longest = max(run.finished_at - run.started_at for run in JobRun.objects.filter(state="done"))
    assert longest < timedelta(seconds=5)
