"""What stands in the inbox of who reached a milestone."""

from django.db import migrations

from success.notifications.defaults import Template, default

REACHED = Template(
    key="milestone_reached",
    category="milestones",
    in_app_title="{{ milestone }}",
    in_app_text="{{ words }}{% if opens_next %} {{ opens_next }}{% endif %}",
    cap_days=0,
    example={"milestone": "First client", "words": "Your first client is in.", "opens_next": "Make a form, and ask what you need to know."},
)


class Migration(migrations.Migration):
    dependencies = [("milestones", "0004_schedule"), ("success", "0020_sending")]
    operations = [default([REACHED])]
