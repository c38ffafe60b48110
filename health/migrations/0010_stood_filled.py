"""It is taken over from where it stood, and pages over everybody get indexes."""

from typing import Any

from django.db import migrations, transaction
from django.db.models import Index, Q

from success.migrating import beside, with_index, without_index

CHUNK = 5_000  # suppliers: a transaction each
LOCK = "select 1 from success_facts where supplier_id between %(first)s and %(last)s order by supplier_id for update"  # as all who write scores do
FILL = """
update health_assessment a set stood = g.standing from health_standing g
where a.supplier_id = g.supplier_id and a.stood <> g.standing and a.supplier_id between %(first)s and %(last)s and g.supplier_id between %(first)s and %(last)s
"""


def fill(apps: Any, schema_editor: Any) -> None:
    """May run again: what was filled stays as it is."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("select coalesce(max(supplier_id), 0) from health_assessment")
        [(last,)] = cursor.fetchall()
        for first in range(0, last + 1, CHUNK):
            with transaction.atomic(using=schema_editor.connection.alias):
                for statement in (LOCK, FILL):
                    cursor.execute(statement, {"first": first, "last": first + CHUNK - 1})


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("health", "0009_stood")]
    operations = beside(
        migrations.RunPython(fill, migrations.RunPython.noop),
        *with_index("assessment", Index(fields=["level_since"], name="assessment_level_since")),
        *with_index(
            "snapshot",
            Index(fields=["day", "stood_before", "status", "level"], include=["supplier"], condition=Q(stood_before__isnull=False), name="snapshot_turned"),
        ),
        *without_index("snapshot", "snapshot_turn"),
    )
