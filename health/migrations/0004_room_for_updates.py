"""Room on each page for the next version of a row, so that most updates touch no index."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("health", "0003_closing")]
    operations = [migrations.RunSQL("alter table health_assessment set (fillfactor = 75)", "alter table health_assessment reset (fillfactor)")]
