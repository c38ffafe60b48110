from django.apps import AppConfig

from health.effective import LEVEL, OVERRIDDEN
from success import columns

COLUMNS = columns.Columns(
    join=f"left join health_assessment a on a.supplier_id = s.id {OVERRIDDEN}",
    expressions={"score": "a.score", "level": LEVEL, "score_changed_at": "a.changed_at", "computed_level": "a.level", "level_since": "a.level_since"},
)


class HealthConfig(AppConfig):
    name = "health"

    def ready(self) -> None:
        columns.register("health", COLUMNS)
