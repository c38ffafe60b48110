"""Snapshots written before say it too, and those days have an index of their own. Without a transaction: no table is locked meanwhile, and it may run again."""

from django.db import migrations
from django.db.models import Index, Q

from success.migrating import beside, in_ranges, with_index

FILL = """
update health_snapshot h set stood_before = x.before from (
    select *, lag(standing, 1, 'ended') over (partition by supplier_id order by day) as before from (
        select supplier_id, day, stood_before, case status when 'ok' then level when 'insufficient_data' then 'none' else 'ended' end as standing
        from health_snapshot where supplier_id between %(first)s and %(last)s
    ) y
) x where h.supplier_id = x.supplier_id and h.day = x.day and x.standing <> x.before and x.stood_before is null
"""
STAND = """
insert into health_standing (supplier_id, standing)
select distinct on (supplier_id) supplier_id, case status when 'ok' then level when 'insufficient_data' then 'none' else 'ended' end
from health_snapshot where supplier_id between %(first)s and %(last)s order by supplier_id, day desc on conflict do nothing
"""


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("health", "0007_portfolio")]
    operations = beside(
        in_ranges("health_snapshot", FILL, STAND),
        *with_index(
            "snapshot",
            Index(fields=["day"], include=["supplier", "stood_before", "status", "level"], condition=Q(stood_before__isnull=False), name="snapshot_turn"),
        ),
    )
