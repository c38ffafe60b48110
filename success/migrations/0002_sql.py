"""The log, its fold, and the triggers that keep facts, clients and status history true."""

from django.db import migrations

from success import sql


class Migration(migrations.Migration):
    dependencies = [("success", "0001_initial")]
    operations = [sql.run(name) for name in ("activity", "suppliers", "clients", "fold")]
