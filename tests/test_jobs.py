"""Jobs: each slot once, whatever ticks; what a run writes down; what is caught up after an absence."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from zoneinfo import ZoneInfo

import pytest
from django.db import ProgrammingError, connection
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from health.models import Snapshot
from success import jobs, tasks
from success.db import execute
from success.jobs import CatchUp, Done, Job
from success.models import Event, Facts, JobRun, Supplier
from tests.factories import SupplierFactory
from tests.server import ROOT, database_url

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class Diary:
    """A job that writes down when it was asked to run, and does as it is told."""

    def __init__(self, **job):
        self.slots, self.only, self.error, self.done = [], [], None, Done({"done": 1})
        self.meanwhile = lambda: None
        self.job = Job(**{"key": "test.diary", "run": self} | job)

    def __call__(self, *, at, slot, only):
        self.slots.append(slot)
        self.only.append(only)
        self.meanwhile()
        if self.error:
            raise self.error
        return self.done


@pytest.fixture
def make_job(monkeypatch):
    monkeypatch.setattr(jobs, "_registry", dict(jobs._registry))
    made = []

    def make(*, every: timedelta | None = None, cron: tuple[str, str] | None = None, zone: str = "UTC", **job) -> Diary:
        diary = Diary(**job)
        jobs.register(diary.job)
        if every:
            schedule = {"interval": IntervalSchedule.objects.create(every=every.total_seconds(), period="seconds")}
        else:
            schedule = {"crontab": CrontabSchedule.objects.create(minute=cron[0], hour=cron[1], timezone=zone)}
        made.append(PeriodicTask.objects.create(name=diary.job.key, task="success.tasks.run_job", **schedule))
        return diary

    yield make
    if not connection.in_atomic_block:
        for task in made:
            task.delete()


def minutes(n: float) -> datetime:
    return NOON + timedelta(minutes=n)


def test_a_slot_runs_once_however_often_beat_ticks(db, make_job):
    diary = make_job(every=timedelta(minutes=10))
    for tick in (0, 0, 1, 9.9, 10, 10.1, 5):
        jobs.run_due("test.diary", at=minutes(tick))
    assert diary.slots == [minutes(0), minutes(10)]
    assert list(JobRun.objects.values_list("slot", "state", "counts", "attempts")) == [(slot, "done", {"done": 1}, 1) for slot in diary.slots]


def test_editing_the_row_moves_the_slots_and_never_back(db, make_job):
    diary = make_job(every=timedelta(minutes=2))
    jobs.run_due("test.diary", at=minutes(8))
    IntervalSchedule.objects.update(every=300)
    jobs.run_due("test.diary", at=minutes(9))  # its slot of every 5 minutes, at :05, is before the one that ran
    jobs.run_due("test.diary", at=minutes(11))
    PeriodicTask.objects.filter(name="test.diary").update(interval=None, crontab=CrontabSchedule.objects.create(minute="17", hour="*"))
    jobs.run_due("test.diary", at=minutes(16))
    jobs.run_due("test.diary", at=minutes(18))
    PeriodicTask.objects.filter(name="test.diary").update(enabled=False)
    jobs.run_due("test.diary", at=minutes(80))
    assert diary.slots == [minutes(8), minutes(10), minutes(17)]


def test_after_an_absence_only_the_last_slot_counts_or_each_does(db, make_job):
    sweep = make_job(every=timedelta(minutes=1), key="test.sweep")
    daily = make_job(cron=("5", "0"), key="test.daily", catch_up=CatchUp.EACH)
    for away in (timedelta(0), timedelta(days=4)):
        jobs.run_due("test.sweep", at=NOON + away)
        jobs.run_due("test.daily", at=NOON + away)
    assert sweep.slots == [NOON, NOON + timedelta(days=4)]
    assert daily.slots == [datetime(2026, 11, day, 0, 5, tzinfo=UTC) for day in (23, 24, 25, 26, 27)]


def test_a_failure_is_written_down_raised_and_tried_again_where_each_slot_counts(db, make_job):
    daily = make_job(cron=("5", "0"), catch_up=CatchUp.EACH)
    daily.error = ValueError("no such thing as sarah@example.org")
    with pytest.raises(ValueError):
        jobs.run_due("test.diary", at=NOON)
    run = JobRun.objects.get()
    assert (run.state, run.error) == ("failed", "ValueError: no such thing as [address]")
    daily.error = None
    assert jobs.run_due("test.diary", at=NOON + timedelta(minutes=1)) == []  # it waits
    jobs.run_due("test.diary", at=NOON + timedelta(days=1))
    assert [slot.day for slot in daily.slots] == [23, 23, 24]
    assert list(JobRun.objects.order_by("slot").values_list("state", "attempts")) == [("done", 2), ("done", 1)]


def test_a_dead_workers_slot_is_taken_over_when_its_lease_ends(db, make_job):
    diary = make_job(every=timedelta(minutes=10), lease=timedelta(minutes=2))
    assert jobs.claim(diary.job, NOON, at=NOON)  # and then nothing more is heard
    jobs.run_due("test.diary", at=minutes(1.9))
    assert diary.slots == []
    jobs.run_due("test.diary", at=minutes(2))
    assert (diary.slots, JobRun.objects.get().attempts) == ([NOON], 2)


def test_who_lost_the_lease_writes_nothing_over_the_other(db, make_job):
    diary = make_job(every=timedelta(minutes=10))
    slow = jobs.claim(diary.job, NOON, at=NOON)
    jobs.run_due("test.diary", at=minutes(5))
    jobs.finish(slow, at=minutes(6), state="failed", error="late")
    assert JobRun.objects.get().state == "done"


def test_one_worker_at_a_time_and_the_dead_are_given_up(db, make_job):
    diary = make_job(every=timedelta(minutes=1), lease=timedelta(minutes=2))
    assert jobs.claim(diary.job, minutes(0), at=minutes(0))
    assert jobs.run_due("test.diary", at=minutes(1)) == []
    jobs.run_due("test.diary", at=minutes(3))
    assert list(JobRun.objects.order_by("slot").values_list("state", "error")) == [("failed", "the worker died"), ("done", "")]


def test_empty_runs_leave_one_row_and_clean_ones_go_in_time(db, make_job):
    diary = make_job(every=timedelta(minutes=1), keep=timedelta(minutes=5))
    for minute in range(10):
        diary.done = Done({"done": 0}) if minute % 2 else Done({"done": 3}, {7: "odd"} if minute == 2 else {})
        jobs.run_due("test.diary", at=minutes(minute))
    kept = [(run.slot.minute, bool(run.counts)) for run in JobRun.objects.order_by("slot")]
    assert kept == [(2, True), (4, True), (6, True), (8, True), (9, False)]


def test_a_second_run_of_a_slot_takes_only_those_that_failed(db, make_job):
    diary, anna = make_job(every=timedelta(minutes=1)), SupplierFactory(external_id="anna")
    diary.done = Done({"assessed": 99, "failed": 1}, {anna.pk: "division by zero"})
    [run] = jobs.run_due("test.diary", at=NOON)
    assert jobs.failures_of(run) == [{"supplier": "anna", "reason": "division by zero"}]
    diary.done = Done({"assessed": 1, "failed": 0})
    jobs.rerun(run, at=minutes(5))
    run.refresh_from_db()
    assert (diary.only, run.failures, run.counts, run.attempts) == ([None, [anna.pk]], [], {"assessed": 100, "failed": 0}, 2)


def test_what_nobody_ran_in_time_is_asked_for_again(db, make_job):
    make_job(cron=("0", "12"), key="test.noon")
    make_job(every=timedelta(seconds=2), key="test.often")
    PeriodicTask.objects.exclude(name__startswith="test.").update(enabled=False)
    assert [task.name for task in jobs.overdue(at=NOON + timedelta(seconds=59))] == []
    assert [task.name for task in jobs.overdue(at=NOON + timedelta(seconds=61))] == ["test.noon"]
    jobs.run_due("test.noon", at=minutes(2))
    assert [task.name for task in jobs.overdue(at=minutes(3))] == []


def test_a_task_passes_over_arguments_it_does_not_know(db, make_job):
    diary = make_job(every=timedelta(minutes=1))
    tasks.run_job(job="test.diary", added_by="a later version")
    assert len(diary.slots) == 1
    with pytest.raises(jobs.UnknownJob):
        tasks.run_job(job="test.none")


def sixteen_at_once(slots: int) -> None:
    """Two beats and their workers, made worse: every tick is sent sixteen times at the same moment."""
    together = Barrier(16)

    def worker():
        for minute in range(slots):
            together.wait()
            jobs.run_due("test.diary", at=minutes(minute))
        connection.close()

    workers = [Thread(target=worker) for _ in range(16)]
    for thread in workers:
        thread.start()
    for thread in workers:
        thread.join()


def each_once(diary: Diary, slots: int) -> bool:
    return sorted(diary.slots) == [minutes(minute) for minute in range(slots)]


def test_sixteen_at_once_run_200_slots_200_times(committed, make_job):
    diary = make_job(every=timedelta(minutes=1), lease=timedelta(seconds=1))
    sixteen_at_once(200)
    assert each_once(diary, 200)
    assert JobRun.objects.filter(attempts=1, state="done").count() == 200


@pytest.mark.parametrize(("lease", "times"), [(120, 1), (0, 2)], ids=["as it is", "the deliberate break"])
def test_it_is_the_lease_that_keeps_another_worker_away(db, make_job, lease, times):
    """Another worker comes while the first is at it; without a lease it runs the slot again, and the diary shows that."""
    diary = make_job(every=timedelta(minutes=1), lease=timedelta(seconds=lease))
    diary.meanwhile = lambda: len(diary.slots) == 1 and jobs.run_due("test.diary", at=NOON + timedelta(seconds=1))
    jobs.run_due("test.diary", at=NOON)
    assert diary.slots == [NOON] * times


def test_without_the_unique_slot_nothing_runs_at_all(db, make_job):
    diary = make_job(every=timedelta(minutes=1))
    execute("alter table success_jobrun drop constraint jobrun_slot_once")
    with pytest.raises(ProgrammingError, match="no unique"):
        jobs.run_due("test.diary", at=NOON)
    assert diary.slots == []


@pytest.mark.parametrize(("night", "day"), [("2026-03-28T22:00Z", 29), ("2026-10-24T22:00Z", 25)], ids=["spring, 02:30 is not", "autumn, 02:30 is twice"])
def test_the_nights_on_which_clocks_change_have_one_run(db, make_job, night, day):
    diary = make_job(cron=("30", "2"), zone="Europe/Berlin", catch_up=CatchUp.EACH)
    began = datetime.fromisoformat(night)
    jobs.run_due("test.diary", at=began)
    diary.slots.clear()
    for tick in range(3 * 24 * 6):
        jobs.run_due("test.diary", at=began + timedelta(minutes=10 * tick))
    local = [slot.astimezone(ZoneInfo("Europe/Berlin")).day for slot in diary.slots]
    assert local == [day, day + 1, day + 2]


VICTIM = """
import sys, django
django.setup()
from datetime import datetime
from success import jobs
def run(*, at, slot, only):
    print("within", flush=True)
    sys.stdin.read()
jobs.register(jobs.Job(key="test.diary", run=run))
jobs.run_due("test.diary", at=datetime.fromisoformat(sys.argv[1]))
"""


def test_a_worker_killed_in_the_middle_is_followed_by_another(committed, make_job):
    diary = make_job(every=timedelta(minutes=10))
    given_up = diary.job.lease + timedelta(seconds=5)
    for n in range(1, 4):
        env = {**os.environ, "DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "tests.settings"}
        at = (NOON + given_up * (n - 1)).isoformat()
        with subprocess.Popen([sys.executable, "-c", VICTIM, at], env=env, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as victim:
            assert victim.stdout.readline() == b"within\n"
            victim.kill()
        assert list(JobRun.objects.values_list("slot", "state", "attempts")) == [(NOON, "running", n)]
        assert jobs.run_due("test.diary", at=NOON + given_up * n - timedelta(seconds=6)) == []
    jobs.run_due("test.diary", at=NOON + given_up * 3)
    assert (diary.slots, JobRun.objects.get().attempts) == ([NOON], 4)


# ---------------------------------------------------------------- with real scoring

FAULT = """create function test_refuse() returns trigger language plpgsql as $$
    begin if new.supplier_id %% 100 = 0 then raise exception 'supplier %% is beyond reckoning', new.supplier_id; end if; return new; end $$;
    create trigger test_refuse before insert or update on health_assessment for each row execute function test_refuse()"""


@pytest.fixture
def crowd(db):
    """5,000 suppliers, of whom every hundredth cannot be scored."""
    made = SupplierFactory.build_batch(5_000)
    for n, supplier in enumerate(made, start=1_000_000):
        supplier.pk = n
    type(made[0]).objects.bulk_create(made)
    connection.cursor().execute(FAULT.replace("%%", "%"))
    return {supplier.pk for supplier in made if supplier.pk % 100 == 0}


def scored() -> int:
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from health_assessment where version > 0")
        return cursor.fetchone()[0]


def mend() -> None:
    connection.cursor().execute("drop trigger test_refuse on health_assessment")


def test_50_of_5000_raise_and_the_others_are_scored(crowd):
    [run] = jobs.run_due("health.assess", at=NOON)
    assert (len(crowd), scored(), run.counts["assessed"], run.counts["failed"]) == (50, 4_950, 4_950, 50)
    assert {failure["supplier"]: failure["reason"] for failure in run.failures} == {pk: f"supplier {pk} is beyond reckoning" for pk in crowd}
    assert {failure["supplier"] for failure in jobs.rerun(run, at=minutes(1)).failures} == crowd  # still
    mend()
    again = jobs.rerun(run, at=minutes(2))
    assert (scored(), again.failures, again.counts["assessed"], again.attempts) == (5_000, [], 5_000, 3)


def test_the_touched_are_scored_although_50_raise(crowd):
    [run] = jobs.run_due("health.touched", at=NOON)
    assert (scored(), {failure["supplier"] for failure in run.failures}) == (4_950, crowd)
    assert not Facts.objects.exclude(dirty_at=None).exists()  # nothing is tried again every two seconds
    told = Event.objects.count()
    assert jobs.run_due("health.touched", at=NOON + timedelta(seconds=2))[0].counts == {}
    mend()
    jobs.run_due("health.assess", at=minutes(10))
    assert scored() == 5_000 and Event.objects.count() >= told


def test_missed_days_are_closed_each_and_whom_a_day_failed_on_in_a_second_run(db):
    born = datetime(2026, 11, 1, tzinfo=UTC)
    suppliers = SupplierFactory.create_batch(3, created_at=born)
    jobs.run_due("health.close_day", at=NOON)
    connection.cursor().execute(FAULT.replace("%%", "%").replace("health_assessment", "health_snapshot").replace("% 100 = 0", f"= {suppliers[0].pk}"))
    Supplier.objects.update(status="cancelled", changed_at=NOON + timedelta(days=1))  # a change for each of them
    runs = jobs.run_due("health.close_day", at=NOON + timedelta(days=3))
    assert [run.slot.day for run in runs] == [24, 25, 26]
    failed = next(run for run in runs if run.failures)
    assert [failure["supplier"] for failure in failed.failures] == [suppliers[0].pk]
    connection.cursor().execute("drop trigger test_refuse on health_snapshot")
    assert jobs.rerun(failed, at=NOON + timedelta(days=4)).failures == []
    assert Snapshot.objects.filter(supplier=suppliers[0], day=failed.slot.date() - timedelta(days=1)).exists()
