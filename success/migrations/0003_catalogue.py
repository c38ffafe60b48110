"""What event names mean out of the box, the partitions of the present, and the roles of the console."""

from datetime import UTC, datetime, timedelta

from django.db import migrations

FEATURES = [
    (0, "forms_created", "Forms created", "Form Created"),
    (1, "clients_imported", "Clients imported", "Clients Imported"),
    (2, "journeys_created", "Journeys created", "Journey Created"),
    (3, "templates_used", "Templates used", "Template Used"),
]
MEANINGS = [
    ("Signed In", "sign_in"),
    ("$last_sign_in_at", "sign_in_reported"),
    ("Form Started", "form_started"),
    ("Form Completed", "form_completed"),
    ("Journey Step Started", "step_started"),
    ("Journey Step Completed", "step_completed"),
    ("Client Active", "client_active"),
    ("Page Viewed", "none"),
]


def fill(apps, schema_editor):
    Feature = apps.get_model("success", "Feature")
    EventName = apps.get_model("success", "EventName")
    for bit, key, name, event in FEATURES:
        feature = Feature.objects.create(bit=bit, key=key, name=name)
        EventName.objects.create(name=event, meaning="feature", feature=feature)
    EventName.objects.bulk_create(EventName(name=name, meaning=meaning) for name, meaning in MEANINGS)
    now = datetime.now(UTC)
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("select success_make_partitions(%s, %s)", [now, now + timedelta(days=92)])


class Migration(migrations.Migration):
    dependencies = [("success", "0002_sql")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
