from django.apps import AppConfig

from success import columns

COLUMNS = columns.Columns(
    join="left join health_assessment a on a.supplier_id = s.id",
    expressions={"score": "a.score", "level": "a.level", "score_changed_at": "a.changed_at"},
)


class HealthConfig(AppConfig):
    name = "health"

    def ready(self) -> None:
        columns.register("health", COLUMNS)
