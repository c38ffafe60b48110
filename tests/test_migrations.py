"""Migrations of ours go back as they went forward."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from health.models import Assessment
from milestones import digest
from milestones.models import Achievement
from success import clock, db
from tests.factories import ContactFactory, SupplierFactory


def test_the_newest_migrations_are_reversible(committed):
    call_command("migrate", "health", "0003", verbosity=0)
    call_command("migrate", "success", "0005", verbosity=0)
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from pg_class where 'fillfactor=75' = any(reloptions) and relname in ('success_facts', 'health_assessment')")
        assert cursor.fetchone()[0] == 2


def test_how_suppliers_stood_is_taken_over_and_back(committed):
    suppliers = [SupplierFactory(), SupplierFactory()]
    for supplier, stood in zip(suppliers, ("healthy", "none"), strict=True):
        Assessment.objects.create(supplier=supplier, status="insufficient_data", scorecard="ws142", version=1, changed_at=clock.now(), stood=stood)
    call_command("migrate", "health", "0008", verbosity=0)
    before = db.rows("select supplier_id, standing from health_standing order by 1")
    assert before == [(supplier.pk, stood) for supplier, stood in zip(suppliers, ("healthy", "none"), strict=True)]
    call_command("migrate", verbosity=0)
    assert list(Assessment.objects.order_by("supplier").values_list("supplier", "stood")) == before


@pytest.mark.parametrize(
    ("app", "before", "name"), [("health", "0009", "0010_stood_filled"), ("milestones", "0010", "0011_covering"), ("success", "0024", "0025_pages")]
)
def test_what_is_built_beside_the_work_of_others_may_be_cut_off_and_run_again(committed, app, before, name):
    """All of it was done, and nobody wrote down that it was: forwards, and on the way back."""
    written = MigrationRecorder(connection)
    call_command("migrate", app, name, verbosity=0)
    written.record_unapplied(app, name)
    call_command("migrate", app, name, verbosity=0)
    call_command("migrate", app, before, verbosity=0)
    written.record_applied(app, name)
    call_command("migrate", app, before, verbosity=0)
    call_command("migrate", verbosity=0)
    assert not db.rows("select indexrelid::regclass from pg_index where not indisvalid") and not db.rows(
        "select 1 from pg_class where relname ~ '_(wide|plain)$'"
    )


REACHED = """insert into milestones_achievement (supplier_id, milestone_id, achieved_at, known_at, counter, n, silent, announced_at)
    select %(supplier)s, id, %(at)s, %(at)s, '', 0, false, %(at)s from milestones_milestone where key = 'first_form'"""


def test_an_upgrade_mails_nobody_about_what_was_reached_before_there_was_a_page_to_see_it_on(committed):
    supplier, at = SupplierFactory(), clock.now()
    ContactFactory(supplier=supplier, is_primary=True)
    call_command("migrate", "milestones", "0007", verbosity=0)
    db.execute(REACHED, {"supplier": supplier.pk, "at": at - timedelta(hours=5)})
    call_command("migrate", verbosity=0)
    assert digest.digest(at=at) == 0
    Achievement.objects.update(digested_at=None)  # as of one that was reached since
    assert digest.digest(at=at) == 1
