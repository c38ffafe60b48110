"""Migrations of ours go back as they went forward."""

from datetime import timedelta

from django.core.management import call_command
from django.db import connection

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
    for supplier, stood in zip(suppliers, ("healthy", "ended"), strict=True):
        Assessment.objects.create(supplier=supplier, status="insufficient_data", scorecard="ws142", version=1, changed_at=clock.now(), stood=stood)
    call_command("migrate", "health", "0008", verbosity=0)
    before = db.rows("select supplier_id, standing from health_standing order by 1")
    assert before == [(supplier.pk, stood) for supplier, stood in zip(suppliers, ("healthy", "ended"), strict=True)]
    call_command("migrate", verbosity=0)
    assert list(Assessment.objects.order_by("supplier").values_list("supplier", "stood")) == before


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
