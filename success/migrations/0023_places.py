"""The order of what is said to open pages, and a bell for the dispatcher."""

from django.db import migrations

from success import sql


class Migration(migrations.Migration):
    dependencies = [("success", "0022_push")]
    operations = [sql.run("push")]
