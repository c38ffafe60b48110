"""Real PostgreSQL, real Valkey. Two kinds of database: `db` (rolled back) and `committed` (real commits, emptied afterwards)."""

from collections.abc import Iterator

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import connection, connections
from django.test.utils import setup_databases, teardown_databases
from pytest_django.plugin import DjangoDbBlocker

from success import catalogue, keys, limits
from success.models import EventName, Feature, MessageTemplate
from tests.factories import SourceFactory
from tests.server import running

SEEDED = {"success_eventname", "success_feature", "success_messagetemplate"}


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


@pytest.fixture
def committed(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Commits are real and seen by other connections and processes; all rows but the seeded ones go afterwards."""
    with django_db_blocker.unblock():
        seeds = [set(model.objects.values_list("pk", flat=True)) for model in (EventName, Feature, MessageTemplate)]
        meanings = list(EventName.objects.values())
        try:
            yield
        finally:
            connection.close()
            with connection.cursor() as cursor:
                cursor.execute(
                    "select tablename from pg_tables where schemaname = 'public' and (tablename like 'success\\_%%' or tablename like 'health\\_%%')"
                )
                tables = [name for (name,) in cursor.fetchall() if name not in SEEDED and not name.startswith("success_activity_")]
                cursor.execute(f"truncate {', '.join(tables)} cascade")
            EventName.objects.exclude(pk__in=seeds[0]).delete()
            for row in meanings:
                EventName.objects.filter(pk=row["id"]).update(meaning=row["meaning"], feature=row["feature_id"], kept=row["kept"])
            Feature.objects.exclude(pk__in=seeds[1]).delete()
            MessageTemplate.objects.exclude(pk__in=seeds[2]).delete()
            get_user_model().objects.all().delete()
            for other in connections.all():
                other.close()


@pytest.fixture
def key(committed: None) -> str:
    """An API key with all scopes, seen by other processes."""
    return keys.create(source=SourceFactory(), name="test", scopes=["ingest", "read", "write", "admin"])[1]


@pytest.fixture
def web(committed: None) -> Iterator[str]:
    """The base URL of a web process of our own."""
    with running() as (base, _):
        yield base
