"""How the installation itself is doing: what needs somebody first, each with what to do; then ages, queues, jobs and versions."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

from config.console.pages import console, page
from success import clock, due, readiness
from success import operations as now
from success.due import Backlog
from success.operations import Broker, Ground, JobNow
from success.readiness import State
from success.stream.figures import Figures, figures

LATE = 60  # seconds that a row may be due: sweeps come every few
UNSAID = 10  # seconds that a push may wait: it is said at once, or a dispatcher is missing
MANY = 100  # messages in a queue: each is asked for again while it waits
SCHEDULE = "admin:django_celery_beat_periodictask_changelist"
LETTERS = "admin:success_deadletter_changelist"


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong, what to do about it, and where."""

    what: str
    to_do: str
    url: str = ""


# What each check of /readyz is called, and what to do when it fails.
CHECKS = {
    "database": ("The database answers", "Look whether PostgreSQL is up, and whether DATABASE_URL leads there."),
    "migrations": ("All migrations are applied", "Run manage.py migrate as the role that may change tables, then start web, worker and beat anew."),
    "partitions": ("Activity of this month and the next has a place", "Run the job success.partitions again; look at its runs if it fails."),
    "last_tick": ("Beat ticks and a worker runs what it asks for", "Look whether beat and worker are up, and start them. What was missed is made up for."),
    "oldest_mark": ("What happened is scored soon", "Look at the runs of health.touched, and whether a worker serves the queue score; a second shares the work."),
    "redis": ("Redis answers", "Look whether it is up, and REDIS_URL leads there. Nothing is lost meanwhile; jobs wait, limits let everything pass."),
}  # fmt: skip
STATES = {
    "overdue": "Nobody ran it when it was due. If others are overdue too, look whether beat and a worker for its queue are up.",
    "failed": "Its last run failed. Read the reason, mend the cause, run it again.",
    "left": "The worker that took it has died. The next tick takes it over; look into the worker's log if that goes on.",
}


@console("success.view_jobrun")
def operations(request: HttpRequest) -> HttpResponseBase:
    """One look at everything; with Redis away, too."""
    at = clock.now()
    checks, ground, broker, jobs = readiness.look(at=at), now.ground(at=at), now.broker(), now.jobs_now(at=at)
    stream = figures(at=at)
    works = [work_of(backlog, jobs, request) for backlog in due.backlogs(at=at)]
    return page(
        request,
        "operations",
        title="Operations",
        troubles=[*of_checks(checks), *of_jobs(jobs), *of_due_work(works), *of_data(ground, broker), *of_stream(stream)],
        works=works,
        checks=[(CHECKS.get(name, (name, ""))[0], state) for name, state in checks.items()],
        ground=ground,
        stream=stream,
        unsaid=timedelta(seconds=round(stream.oldest)),
        oldest_mark=timedelta(seconds=round(ground.oldest_mark)),
        queues=queues(jobs, broker) if broker else [],
        broker=broker,
        jobs=jobs,
        versions=[
            *now.versions(),
            ("PostgreSQL", checks["database"].detail.removeprefix("PostgreSQL ")),
            *([tuple(broker.version.split(" ", 1))] if broker else []),
        ],
    )


def of_checks(checks: dict[str, State]) -> Iterator[Trouble]:
    for name, state in checks.items():
        if not state.ok:
            title, to_do = CHECKS.get(name, (name, "Look into the log of the web process."))
            yield Trouble(f"Not so: {title[0].lower()}{title[1:]} ({state.detail})", to_do)


def of_jobs(jobs: list[JobNow]) -> Iterator[Trouble]:
    if off := [job.key for job in jobs if job.state == "off"]:
        yield Trouble(
            f"Switched off: {', '.join(off)}", "Nobody runs what is switched off. Enable it in the schedule, unless that is meant.", reverse(SCHEDULE)
        )
    for job in jobs:
        if not job.ok:
            yield Trouble(
                f"{job.key} {'is overdue' if job.state == 'overdue' else 'failed' if job.state == 'failed' else 'was left behind'}",
                STATES[job.state],
                runs_of(job),
            )
        elif job.failed_suppliers:
            yield Trouble(
                f"{job.key} failed on suppliers in the last 24 hours",
                "Open the run: it names them, with the reason, and takes them again.",
                f"{runs_of(job)}&failed=yes",
            )


def of_due_work(works: "list[DueWork]") -> Iterator[Trouble]:
    for work in works:
        if n := work.backlog.for_a_person:
            yield Trouble(
                f"{n:,} {work.name if n > 1 else work.one} {'need' if n > 1 else 'needs'} a person",
                "Open one: it says what is wrong. Mend the cause, then try again, or drop it and say why.",
                work.url and f"{work.url}?is=left",
            )
        if work.backlog.oldest > LATE:
            yield Trouble(
                f"{work.backlog.due:,} {work.name if work.backlog.due > 1 else work.one} due and not done, the first for {work.oldest}",
                f"Look whether a worker serves the queue {work.queue}; a second shares the work.",
                work.url and f"{work.url}?is=due",
            )


def of_data(ground: Ground, broker: Broker | None) -> Iterator[Trouble]:
    if ground.letters:
        yield Trouble(
            f"Open dead letters: {ground.letters}",
            "Activity that is kept but does not count yet. Open one, mend the cause, fold it again.",
            reverse(LETTERS),
        )
    for name, waiting in broker.waiting.items() if broker else ():
        if waiting > MANY:
            yield Trouble(f"Messages that wait in the queue {name}: {waiting}", "Start a worker that serves it, or one more.")


def of_stream(stream: Figures) -> Iterator[Trouble]:
    if stream.oldest > UNSAID:
        yield Trouble(
            f"{stream.waiting:,} for open pages not said, the first for {timedelta(seconds=round(stream.oldest))}",
            "Look whether a dispatcher is up (dispatch in the Procfile), and start one. What waits is said then.",
            reverse("admin:success_push_changelist"),
        )


def runs_of(job: JobNow) -> str:
    return f"{reverse('admin:success_jobrun_changelist')}?job={job.key}"


@dataclass(frozen=True, slots=True)
class DueWork:
    """What waits of one kind of due rows, and the list of it."""

    backlog: Backlog
    name: str
    one: str
    about: str
    queue: str
    url: str

    @property
    def oldest(self) -> timedelta:
        return timedelta(seconds=round(self.backlog.oldest))


def work_of(backlog: Backlog, jobs: list[JobNow], request: HttpRequest) -> DueWork:
    kind = due.registered()[backlog.kind]
    opts = kind.model._meta
    listed = admin.site.is_registered(kind.model) and request.user.has_perm(f"{opts.app_label}.view_{opts.model_name}")
    about = next((job.about for job in jobs if job.key == backlog.kind), "")
    url = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist") if listed else ""
    return DueWork(backlog, str(opts.verbose_name_plural), str(opts.verbose_name), about, kind.queue, url)


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue as its worker shows by what it ran."""

    name: str
    waiting: int
    last_at: datetime | None
    overdue: int
    jobs: int


def queues(jobs: list[JobNow], broker: Broker) -> list[Queue]:
    return [queue(name, waiting, [job for job in jobs if job.queue == name and job.state != "off"]) for name, waiting in broker.waiting.items()]


def queue(name: str, waiting: int, of_it: list[JobNow]) -> Queue:
    last: Any = max((job.last_at for job in of_it if job.last_at), default=None)
    return Queue(name, waiting, last, sum(job.state == "overdue" for job in of_it), len(of_it))
