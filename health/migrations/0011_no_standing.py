"""The table that said it before is gone; on the way back it is written anew."""

from django.db import migrations

BACK = "insert into health_standing (supplier_id, standing) select supplier_id, stood from health_assessment"


class Migration(migrations.Migration):
    dependencies = [("health", "0010_stood_filled")]
    operations = [migrations.RunSQL(migrations.RunSQL.noop, BACK), migrations.DeleteModel("Standing")]
