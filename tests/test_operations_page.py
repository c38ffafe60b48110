"""What an operator sees: the page with everything well, with each thing broken; runs with their failures, dead letters with theirs, each tried again."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse
from django_celery_beat.models import PeriodicTask

from success import activity, clock, db, jobs, operations, roles
from success.models import Activity, Colleague, DeadLetter, Facts, JobRun
from success.schedules import Crontab, Interval
from tests.factories import ContactFactory, SourceFactory, StaffFactory, SupplierFactory

PAGE = "/admin/operations/"


@pytest.fixture
def lead(db, client):
    user = StaffFactory()
    user.groups.add(Group.objects.get(name=roles.LEAD))
    client.force_login(user)
    return user


def ran(job="health.touched", *, ago=timedelta(seconds=1), **values):
    at = clock.now() - ago
    return JobRun.objects.create(**{"job": job, "slot": at, "started_at": at, "leased_until": at, "finished_at": at, "state": "done"} | values)


def state_of(key, **more):
    return next(job for job in operations.jobs_now(at=clock.now()) if job.key == key).state


# ---------------------------------------------------------------- the page


def test_everything_on_one_page(client, lead, django_assert_max_num_queries):
    for job in jobs.registered():
        ran(job)
    client.get(PAGE)
    with django_assert_max_num_queries(30):
        page = client.get(PAGE).text
    for words in (
        "every 10 minutes",
        "each day at 00:05 UTC",
        "every 2 seconds",
        "on time",
        "PostgreSQL",
        "Valkey",
        "Python",
        "Django",
        "ingest",
        "Dead letters",
        "none open",
    ):
        assert words in page
    assert "overdue" not in page


def test_what_needs_somebody_stands_first_with_what_to_do(client, lead):
    ran("success.partitions", ago=timedelta(days=3))
    ran("health.assess", state="failed", error="ValueError: odd")
    ran(failures=[{"supplier": 1, "reason": "odd"}])
    ran("health.close_day", state="running", leased_until=clock.now() - timedelta(seconds=5))
    DeadLetter.objects.create(received_at=clock.now() - timedelta(hours=2), messages=[], sqlstate="23514", error="")
    page = client.get(PAGE).text
    top = page[page.index("Needs somebody") : page.index("What comes in")]
    for words in (
        "success.partitions is overdue", "health.assess failed", "health.touched failed on suppliers", "health.close_day was left behind",
        "Open dead letters: 1", "Nobody ran it",
    ):  # fmt: skip
        assert words in top
    assert "ValueError: odd" in page and "oldest for 2 hours" in page.replace("\xa0", " ")


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({}, "done"),
        ({"ago": timedelta(hours=1)}, "overdue"),
        ({"ago": timedelta(seconds=50)}, "done"),
        ({"state": "failed"}, "failed"),
        ({"state": "running", "leased_until": datetime(2100, 1, 1, tzinfo=UTC)}, "running"),
        ({"state": "running"}, "left"),
    ],
)
def test_how_a_job_stands(db, change, state):
    ran(**change)
    assert state_of("health.touched") == state


def test_a_job_that_is_switched_off_is_not_overdue(db):
    PeriodicTask.objects.filter(name="health.touched").update(enabled=False)
    assert state_of("health.touched") == "off"
    assert state_of("health.assess") == "overdue"


def test_with_redis_away_the_page_opens_and_says_so(client, lead, settings):
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    page = client.get(PAGE)
    assert page.status_code == 200
    assert "Redis does not answer" in page.text and "Nothing is lost" in page.text and "Not so: redis answers" in page.text


def test_the_newest_activity_is_found_however_old(lead):
    now = clock.now()
    activity.ensure_partitions(now=now - timedelta(days=40))
    assert operations.newest(at=now) is None
    for ago in (timedelta(days=30), timedelta(minutes=3)):
        message = json.dumps({"type": "track", "userId": "s", "event": f"{ago}"}).encode()
        activity.take([message], kind=None, source=SourceFactory(), received_at=now - ago)
        assert operations.newest(at=now) == now - ago


def test_managers_have_no_such_page(client, lead):
    lead.groups.set([Group.objects.get(name=roles.MANAGER)])
    assert client.get(PAGE).status_code == 403


AT = datetime(2026, 11, 24, 10, 0, 30, tzinfo=UTC)
EVERY_HOUR = frozenset(range(24))


@pytest.mark.parametrize(
    ("schedule", "due"),
    [
        (Interval(timedelta(minutes=10)), datetime(2026, 11, 24, 10, 10, tzinfo=UTC)),
        (
            Crontab(frozenset({5}), frozenset({0}), frozenset(range(7)), frozenset(range(1, 32)), frozenset(range(1, 13))),
            datetime(2026, 11, 25, 0, 5, tzinfo=UTC),
        ),
        (Crontab(frozenset({0}), EVERY_HOUR, frozenset(range(7)), frozenset(range(1, 32)), frozenset(range(1, 13))), datetime(2026, 11, 24, 11, tzinfo=UTC)),
        (Crontab(frozenset({0}), frozenset({0}), frozenset(range(7)), frozenset({29}), frozenset({2})), datetime(2028, 2, 29, tzinfo=UTC)),
        (Crontab(frozenset({0}), frozenset({0}), frozenset(range(7)), frozenset({30}), frozenset({2})), None),
    ],
)
def test_when_it_is_due_next(schedule, due):
    assert schedule.next(AT) == due


@pytest.mark.parametrize(
    ("length", "words"),
    [({"seconds": 2}, "every 2 seconds"), ({"seconds": 60}, "every minute"), ({"minutes": 90}, "every 90 minutes"), ({"hours": 24}, "every day")],
)  # fmt: skip
def test_a_rhythm_in_words(length, words):
    assert operations.every(timedelta(**length)) == words


# ---------------------------------------------------------------- runs


@pytest.fixture
def failed_run(lead):
    """A run that failed on Ana, on one of nobody's, and on one who is not there any more."""
    ana, other = SupplierFactory(external_id="ana", owner=lead), SupplierFactory(external_id="other")
    ContactFactory(supplier=ana, name="Ana <b>Novak</b>")
    return ran(
        "health.assess",
        failures=[{"supplier": pk, "reason": "numeric value out of range"} for pk in (ana.pk, other.pk, 10**9)],
        counts={"failed": 3, "assessed": 9},
    )


def run_page(client, run):
    return client.get(reverse("admin:success_jobrun_change", args=[run.pk])).text


def test_a_run_names_whom_it_failed_on(client, failed_run):
    page = run_page(client, failed_run)
    assert "Ana &lt;b&gt;Novak" in page and "other" in page and "numeric value out of range" in page and "failed on 3 suppliers" in page
    assert "1 more is not shown" in page
    assert reverse("console:supplier", args=[failed_run.failures[0]["supplier"]]) in page


def test_a_run_names_nobody_of_another_book(client, lead, failed_run):
    Colleague.objects.create(user=lead, own_book_only=True)
    page = run_page(client, failed_run)
    assert "Novak" in page and f"/suppliers/{failed_run.failures[1]['supplier']}/" not in page and "2 more are not shown" in page


def test_a_run_is_run_again_for_those(client, failed_run):
    answer = client.post(reverse("console:run_again", args=[failed_run.pk]), follow=True)
    assert "Done, and nothing failed." in answer.text and "Run again" in answer.text
    failed_run.refresh_from_db()
    assert (failed_run.failures, failed_run.attempts) == ([], 2)


def test_a_run_that_cannot_go_on_says_why(client, failed_run, monkeypatch):
    url = reverse("console:run_again", args=[failed_run.pk])
    JobRun.objects.filter(pk=failed_run.pk).update(failures=[], state="failed")
    monkeypatch.setitem(jobs._registry, "health.assess", jobs.Job(key="health.assess", run=lambda **_: 1 / 0))
    assert "It failed again" in client.post(url, follow=True).text
    assert "ZeroDivisionError" in run_page(client, failed_run)
    running = ran("health.assess", ago=timedelta(seconds=3), state="running", leased_until=clock.now() + timedelta(minutes=1))
    assert "running just now" in client.post(url, follow=True).text
    JobRun.objects.filter(pk=failed_run.pk).update(job="gone.away")
    running.delete()
    assert "no job of this name" in client.post(url, follow=True).text


def test_the_list_of_runs_finds_those_that_failed(client, failed_run):
    ran("success.partitions")
    ran("success.fold_again", state="failed")
    found = client.get("/admin/success/jobrun/?failed=yes").context["cl"].queryset
    assert {run.job for run in found} == {"health.assess", "success.fold_again"}


# ---------------------------------------------------------------- dead letters


@pytest.fixture
def letter(lead):
    """Activity of Ana's that could not be folded, because of a rule somebody made."""
    ContactFactory(supplier=SupplierFactory(external_id="ana"), name="Ana Novak")
    db.execute("alter table success_dailyuse add constraint odd check (n < 2) not valid")
    message = {"type": "track", "userId": "ana", "event": "Signed In"}
    raw = [json.dumps(message | {"messageId": str(n)}).encode() for n in range(2)]
    activity.take(raw, kind=None, source=SourceFactory(name="product"), received_at=clock.now())
    return DeadLetter.objects.get()


def letter_page(client, letter):
    return client.get(reverse("admin:success_deadletter_change", args=[letter.pk])).text


def test_a_letter_says_what_is_wrong_and_whose_rows_it_holds(client, letter):
    assert "1 open" in client.get("/admin/success/deadletter/").text
    page = letter_page(client, letter)
    for words in ("not counted", "A rule of the tables was broken.", "odd", "Ana Novak", "Signed In", "product", "Fold again", "mend the cause"):
        assert words in page


def test_a_letter_names_nobody_of_another_book(client, lead, letter):
    Colleague.objects.create(user=lead, own_book_only=True)
    page = letter_page(client, letter)
    assert "Ana Novak" not in page and "2 more are not shown" in page


def test_a_letter_is_folded_again_from_its_page(client, letter):
    url = reverse("console:fold_again", args=[letter.pk])
    assert "cannot be folded still" in client.post(url, follow=True).text
    db.execute("alter table success_dailyuse drop constraint odd")
    for one in DeadLetter.objects.filter(resolved_at=None):
        answer = client.post(reverse("console:fold_again", args=[one.pk]), follow=True)
        assert "Folded: its activity counts now" in answer.text
    assert Facts.objects.get().last_sign_in_at is not None and Activity.objects.count() == 2
    assert "None is open" in client.get("/admin/success/deadletter/").text
    assert "folded meanwhile" in client.post(url, follow=True).text
