"""Migrations of ours go back as they went forward."""

from django.core.management import call_command
from django.db import connection


def test_the_newest_migrations_are_reversible(committed):
    call_command("migrate", "health", "0003", verbosity=0)
    call_command("migrate", "success", "0005", verbosity=0)
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from pg_class where 'fillfactor=75' = any(reloptions) and relname in ('success_facts', 'health_assessment')")
        assert cursor.fetchone()[0] == 2
