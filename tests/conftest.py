"""Real PostgreSQL, real Valkey. Two kinds of database: `db` (rolled back) and `committed` (real commits, emptied afterwards)."""

from collections.abc import Iterator
from contextlib import contextmanager
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import connection, connections
from django.test.utils import setup_databases, teardown_databases
from pytest_django.plugin import DjangoDbBlocker

from interventions.models import Playbook
from milestones.models import Milestone, Reward
from success import catalogue, keys, limits
from success.models import EventName, Feature, MessageTemplate, Segment
from tests.factories import SourceFactory
from tests.server import free_port, running

SEEDED = {
    "success_eventname",
    "success_feature",
    "milestones_milestone",
    "milestones_threshold",
    "milestones_reward",
    "interventions_playbook",
    "success_messagetemplate",
    "success_segment",  # milestones refer to it: to truncate it would take them along
}


@pytest.fixture(autouse=True)
def _fresh_memory() -> Iterator[None]:
    """No process-wide memory outlives a test."""
    cache.clear()
    catalogue.forget()
    keys.forget()
    limits.client().flushdb()
    yield
    catalogue.forget()
    keys.forget()


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: DjangoDbBlocker, django_db_keepdb: bool, django_db_createdb: bool) -> Iterator[None]:
    """The test database, whichever tests were chosen. (pytest-django makes none where no chosen test names `db`, and `committed` would empty the real one.)"""
    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False, keepdb=django_db_keepdb and not django_db_createdb)
    yield
    if not django_db_keepdb:
        with django_db_blocker.unblock():
            with connection.cursor() as cursor:  # of a process that is still on its way out
                cursor.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()")
            teardown_databases(made, verbosity=0)


@contextmanager
def emptied_afterwards(blocker: DjangoDbBlocker) -> Iterator[None]:
    """Commits are real and seen by other connections and processes; all rows but the seeded ones go afterwards."""
    with blocker.unblock():
        seeds = [set(model.objects.values_list("pk", flat=True)) for model in (EventName, Feature, Milestone, Reward, MessageTemplate)]
        meanings = list(EventName.objects.values())
        try:
            yield
        finally:
            connection.close()
            with connection.cursor() as cursor:
                cursor.execute("select tablename from pg_tables where schemaname = 'public' and tablename ~ '^(success|health|milestones|interventions)_'")
                tables = [name for (name,) in cursor.fetchall() if name not in SEEDED and not name.startswith("success_activity_")]
                cursor.execute(f"truncate {', '.join(tables)} cascade")
            EventName.objects.exclude(pk__in=seeds[0]).delete()
            for row in meanings:
                EventName.objects.filter(pk=row["id"]).update(meaning=row["meaning"], feature=row["feature_id"], kept=row["kept"])
            Feature.objects.exclude(pk__in=seeds[1]).delete()
            Playbook.objects.update(switched_on_at=None, first_day=None)
            Milestone.objects.exclude(pk__in=seeds[2]).delete()
            Segment.objects.all().delete()
            Reward.objects.exclude(pk__in=seeds[3]).delete()
            MessageTemplate.objects.exclude(pk__in=seeds[4]).delete()
            get_user_model().objects.all().delete()
            for other in connections.all():
                other.close()


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with emptied_afterwards(django_db_blocker):
        yield


@pytest.fixture
def key(committed: None) -> str:
    """An API key with all scopes, seen by other processes."""
    return keys.create(source=SourceFactory(), name="test", scopes=["ingest", "read", "write", "admin"])[1]


@pytest.fixture
def web(committed: None) -> Iterator[str]:
    """The base URL of a web process of our own."""
    with running() as (base, _):
        yield base


class Sink:
    """Keeps the letters it is given, parsed, over real SMTP."""

    def __init__(self) -> None:
        self.letters: list[EmailMessage] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.letters.append(BytesParser(EmailMessage, policy=policy.default).parsebytes(envelope.content))
        return "250 Kept"


@pytest.fixture
def sink(settings: Any) -> Iterator[Sink]:
    """A mail server on the loopback address; suppliers may be written to at any hour."""
    kept = Sink()
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = "django.core.mail.backends.smtp.EmailBackend", "127.0.0.1", free_port()
    settings.QUIET_HOURS = "00:00-00:00"
    server = Controller(kept, hostname="127.0.0.1", port=settings.EMAIL_PORT)
    server.start()
    yield kept
    server.stop()
