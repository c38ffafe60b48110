from django.apps import AppConfig

from success import columns

# The lowest of everybody's rungs that she has not reached and may. Who is in a segment is a question with parameters, which a column cannot ask.
NEXT = """(select m.key from milestones_milestone m
    where m.active and m.segment_id is null and not exists (select from milestones_achievement r where r.supplier_id = s.id and r.milestone_id = m.id)
    and (m.after_id is null or exists (select from milestones_achievement r where r.supplier_id = s.id and r.milestone_id = m.after_id and r.revoked_at is null))
    order by m.place, m.id limit 1)"""


class MilestonesConfig(AppConfig):
    name = "milestones"

    def ready(self) -> None:
        columns.register("milestones", columns.Columns(join="", expressions={"next_milestone": NEXT}))
