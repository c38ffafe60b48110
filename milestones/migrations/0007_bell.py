"""What is reached rings at once."""

from django.db import migrations

from milestones import sql


class Migration(migrations.Migration):
    dependencies = [("milestones", "0006_segment")]
    operations = [sql.run("bell")]
