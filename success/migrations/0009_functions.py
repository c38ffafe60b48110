"""Trigger functions as they are now, where an earlier version of them was installed."""

from django.db import migrations

from success import sql


class Migration(migrations.Migration):
    dependencies = [("success", "0008_work")]
    operations = [sql.renew(name) for name in ("suppliers", "fold")]
