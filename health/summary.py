"""The health of all in numbers: how many at each level and stage, and what moved."""

from datetime import date, datetime, timedelta
from typing import Any

from health.effective import LEVEL, OVERRIDDEN
from success import db
from success.stages import IN_SERVICE, STAGES, stage_sql

MOVEMENT_DAYS = 7
COUNTS = f"""select {LEVEL}, {stage_sql("%(at)s")}, a.status, count(*) from success_supplier s
    join health_assessment a on a.supplier_id = s.id {OVERRIDDEN} where {IN_SERVICE} group by 1, 2, 3"""
LEFT_OUT = (
    "select case when internal then 'internal' else status end, count(*) from success_supplier where internal or status in ('cancelled', 'paused') group by 1"
)
MOVED = """select coalesce(t.level, 'none'), a.level, count(*) from health_assessment a
    left join lateral (select level from health_snapshot h where h.supplier_id = a.supplier_id and h.day <= %(since)s order by day desc limit 1) t on true
    where a.level is not null and a.level_since > %(since)s and a.level is distinct from t.level group by 1, 2 order by 1, 2"""


def days_ago(at: datetime, days: int) -> date:
    """The first of the last `days` UTC days, today included."""
    return at.date() - timedelta(days=days - 1)


def summary(*, at: datetime) -> dict[str, Any]:
    """Counts by level and by stage, of those left out by why, and movements between levels over the last seven days."""
    levels = {"critical": 0, "at_risk": 0, "healthy": 0, "none": 0}
    stages = dict.fromkeys(STAGES, 0)
    for level, stage, _, n in db.rows(COUNTS, {"at": at}):
        levels[level or "none"] += n
        stages[stage] += n
    left_out = {"cancelled": 0, "paused": 0, "internal": 0} | dict(db.rows(LEFT_OUT))
    stages["lost"] = left_out["cancelled"]
    moved = [{"from": before, "to": level, "count": n} for before, level, n in db.rows(MOVED, {"since": at.date() - timedelta(days=MOVEMENT_DAYS)})]
    return {"levels": levels, "stages": stages, "left_out": left_out, "movement": moved}
