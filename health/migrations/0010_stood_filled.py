"""It is taken over from where it stood, and pages over everybody get indexes."""

from django.db import migrations
from django.db.models import Index, Q

from success.migrating import beside, in_ranges, with_index, without_index

LOCK = "select 1 from success_facts where supplier_id between %(first)s and %(last)s order by supplier_id for update"  # as all who write scores do
FILL = """
update health_assessment a set stood = g.standing from health_standing g
where a.supplier_id = g.supplier_id and a.stood <> g.standing and a.supplier_id between %(first)s and %(last)s and g.supplier_id between %(first)s and %(last)s
"""


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("health", "0009_stood")]
    operations = beside(
        in_ranges("health_assessment", LOCK, FILL),
        *with_index("assessment", Index(fields=["level_since"], name="assessment_level_since")),
        *with_index(
            "snapshot",
            Index(fields=["day", "stood_before", "status", "level"], include=["supplier"], condition=Q(stood_before__isnull=False), name="snapshot_turned"),
        ),
        *without_index("snapshot", "snapshot_turn"),
    )
