"""The fold and the clients' triggers say when what they count was received."""

from django.db import migrations

from success import sql


class Migration(migrations.Migration):
    dependencies = [("success", "0016_deliveries")]
    operations = [sql.renew(name) for name in ("fold", "clients")]
