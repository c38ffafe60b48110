"""The database watches the counters."""

from django.db import migrations

from milestones import sql


class Migration(migrations.Migration):
    dependencies = [("milestones", "0001_initial"), ("success", "0017_received_at")]
    operations = [sql.run("detect")]
