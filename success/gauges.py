"""What an operator's graphs are drawn from, read when it is asked for."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import DatabaseError
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from success import db, due
from success.stream.figures import figures

DIRTY = "select count(*), coalesce(extract(epoch from %s - min(dirty_at)), 0)::float8 from success_facts where dirty_at is not null"
LETTERS = "select count(*) from success_deadletter where resolved_at is null"
TICKS = "select job, extract(epoch from %s - max(started_at))::float8 from success_jobrun group by job order by job"
FAILED = """select job, count(*) filter (where state = 'failed'), coalesce(sum(jsonb_array_length(failures)), 0) from success_jobrun
    where started_at > %s group by job order by job"""
# Of the server's statistics: counting the rows of the log would read it.
ACCEPTED = """select coalesce(sum(n_tup_ins), 0) from pg_stat_user_tables where relname like 'success\\_activity\\_%%'"""


class Ground(Collector):
    """The gauges at an instant; without a database only that it is away."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        try:
            found = list(self.of_database())
        except DatabaseError:
            found = []
        yield GaugeMetricFamily("success_database_up", "Whether the database answers.", value=float(bool(found)))
        yield from found

    def of_database(self) -> Iterator[Metric]:
        (marks, oldest), (letters,), (accepted,) = db.rows(DIRTY, [self.at])[0], db.rows(LETTERS)[0], db.rows(ACCEPTED)[0]
        yield GaugeMetricFamily("success_dirty_marks", "Suppliers that wait to be scored.", value=marks)
        yield GaugeMetricFamily("success_oldest_dirty_mark_seconds", "How long the first of them waits.", value=oldest)
        yield GaugeMetricFamily("success_dead_letters", "Dead letters that are open.", value=letters)
        yield CounterMetricFamily("success_activity_accepted", "Activity stored since the server's statistics began.", value=float(accepted))
        ages = GaugeMetricFamily("success_job_age_seconds", "Time since a job last ran.", labels=["job"])
        for job, age in db.rows(TICKS, [self.at]):
            ages.add_metric([job], age)
        runs = GaugeMetricFamily("success_job_runs_failed", "Runs that failed in 24 hours.", labels=["job"])
        suppliers = GaugeMetricFamily("success_job_suppliers_failed", "Suppliers that runs failed on in 24 hours.", labels=["job"])
        for job, failed, of_them in db.rows(FAILED, [self.at - timedelta(days=1)]):
            runs.add_metric([job], failed)
            suppliers.add_metric([job], of_them)
        yield from (ages, runs, suppliers)
        yield from self.of_due_work()
        yield from self.of_the_stream()

    def of_due_work(self) -> Iterator[Metric]:
        rows = GaugeMetricFamily("success_due_rows", "Due rows that are not done, by how they stand.", labels=["kind", "state"])
        oldest = GaugeMetricFamily("success_oldest_due_seconds", "How long the first row that is due waits.", labels=["kind"])
        for one in due.backlogs(at=self.at):
            for state, n in (("due", one.due), ("later", one.later), ("claimed", one.claimed), ("needs_a_person", one.for_a_person)):
                rows.add_metric([one.kind, state], n)
            oldest.add_metric([one.kind], one.oldest)
        yield from (rows, oldest)

    def of_the_stream(self) -> Iterator[Metric]:
        found = figures(at=self.at)
        yield GaugeMetricFamily("success_pushes_waiting", "Pushes to open pages that the dispatcher has not taken.", value=found.waiting)
        yield GaugeMetricFamily("success_oldest_push_seconds", "How long the first of them waits.", value=found.oldest)
        streams = GaugeMetricFamily("success_open_streams", "Pages that are open, by the server that holds them.", labels=["server"])
        for server, n in (found.servers or {}).items():
            streams.add_metric([server], n)
        yield streams


def export(*, at: datetime) -> bytes:
    """The gauges in Prometheus's text form."""
    registry = CollectorRegistry()
    registry.register(Ground(at))
    return generate_latest(registry)
