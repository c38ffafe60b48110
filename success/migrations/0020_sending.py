"""How messages are sent: the function for time zones, the schedule, and the one template of the ground."""

from datetime import timedelta

from django.db import migrations

from success import sql
from success.notifications.defaults import Template, default
from success.timetable import Row
from success.timetable import default as scheduled

ROWS = [Row(job="success.send", queue="send", every=timedelta(seconds=2), description="Sends what is due: mail, and messages to our own people")]
TEMPLATES = [
    Template(
        key="staff_notice",
        category="staff",
        subject="{{ title }}",
        text="{{ text }}",
        button="Open",
        link="{{ link }}",
        example={"title": "Two suppliers fell to critical", "text": "Both are yours. Their pages say why.", "link": "https://success.example.com/admin/"},
    )
]


class Migration(migrations.Migration):
    dependencies = [("success", "0019_notifications")]
    operations = [sql.run("zone"), scheduled(ROWS), default(TEMPLATES)]
