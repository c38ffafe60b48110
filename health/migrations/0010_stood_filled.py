"""It is taken over from where it stood, and pages over everybody get indexes. Without a transaction: no table is locked meanwhile, and it may run again."""

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

CHUNK = 5_000  # suppliers: a transaction each
FILL = """
update health_assessment a set stood = g.standing from health_standing g
where a.supplier_id = g.supplier_id and a.stood <> g.standing and a.supplier_id between %(first)s and %(last)s and g.supplier_id between %(first)s and %(last)s
"""
INDEXES = ("assessment_level_since", "snapshot_turned")


def fill(apps: Any, schema_editor: Any) -> None:
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("select coalesce(max(supplier_id), 0) from health_assessment")
        [(last,)] = cursor.fetchall()
        for first in range(0, last + 1, CHUNK):
            cursor.execute(FILL, {"first": first, "last": first + CHUNK - 1})


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("health", "0009_stood")]
    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
        *(migrations.RunSQL(f"drop index concurrently if exists {name}", migrations.RunSQL.noop) for name in INDEXES),  # one that was cut off
        AddIndexConcurrently("assessment", models.Index(fields=["level_since"], name=INDEXES[0])),
        AddIndexConcurrently(
            "snapshot",
            models.Index(
                fields=["day", "stood_before", "status", "level"],
                include=["supplier"],
                condition=models.Q(stood_before__isnull=False),
                name=INDEXES[1],
            ),
        ),
        RemoveIndexConcurrently("snapshot", "snapshot_turn"),
    ]
