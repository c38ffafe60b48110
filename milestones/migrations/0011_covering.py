"""The ladder over everybody is read from the index alone, in the order of suppliers. Built beside the old one, so that no table is locked meanwhile."""

from django.db import migrations, models

NAME = "achievement_once"
BUILD = "create unique index concurrently {0} on milestones_achievement (supplier_id, milestone_id) {1}"
DROP = "drop index concurrently if exists {}"
INCLUDED = "include (achieved_at, revoked_at)"
TAKE = f"""do $$ begin alter table milestones_achievement drop constraint if exists {NAME}; drop index if exists {NAME}; alter index {NAME}_new rename to {NAME}; end $$"""
BACK = f"""do $$ begin drop index {NAME};
    alter table milestones_achievement add constraint {NAME} unique using index {NAME}_old; end $$"""


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("milestones", "0010_digest")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                # Backwards each is undone, the last first.
                migrations.RunSQL(migrations.RunSQL.noop, BACK),
                migrations.RunSQL(DROP.format(f"{NAME}_new"), BUILD.format(f"{NAME}_old", "")),  # one that was cut off
                migrations.RunSQL(BUILD.format(f"{NAME}_new", INCLUDED), DROP.format(f"{NAME}_old")),
                migrations.RunSQL(TAKE, migrations.RunSQL.noop),
            ],
            state_operations=[
                migrations.RemoveConstraint("achievement", NAME),
                migrations.AddConstraint(
                    "achievement", models.UniqueConstraint(fields=["supplier", "milestone"], include=["achieved_at", "revoked_at"], name=NAME)
                ),
            ],
        )
    ]
