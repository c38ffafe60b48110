"""The ladder over everybody is read from the index alone, in the order of suppliers. Built beside the old one, which stays until the new one takes its name."""

from django.db import migrations
from django.db.migrations import RunSQL
from django.db.models import UniqueConstraint

from success.migrating import beside, drop

NAME = "achievement_once"
BUILD = "create unique index concurrently {0} on milestones_achievement (supplier_id, milestone_id) {1}"
WIDE, PLAIN = BUILD.format(f"{NAME}_wide", "include (achieved_at, revoked_at)"), BUILD.format(f"{NAME}_plain", "")
GONE = f"alter table milestones_achievement drop constraint if exists {NAME}; drop index if exists {NAME}"
TAKE_WIDE = f"do $$ begin {GONE}; alter index {NAME}_wide rename to {NAME}; end $$"
TAKE_PLAIN = f"do $$ begin {GONE}; alter table milestones_achievement add constraint {NAME} unique using index {NAME}_plain; end $$"


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("milestones", "0010_digest")]
    operations = [
        migrations.SeparateDatabaseAndState(
            # Read backwards, from the last to the first, it is the way back.
            database_operations=beside(
                RunSQL(RunSQL.noop, TAKE_PLAIN),
                RunSQL(drop(f"{NAME}_wide"), PLAIN),
                RunSQL(WIDE, drop(f"{NAME}_plain")),
                RunSQL(TAKE_WIDE, RunSQL.noop),
            ),
            state_operations=[
                migrations.RemoveConstraint("achievement", NAME),
                migrations.AddConstraint("achievement", UniqueConstraint(fields=["supplier", "milestone"], include=["achieved_at", "revoked_at"], name=NAME)),
            ],
        )
    ]
