"""The mail about what was not seen, its schedule, and her own number and reward in what is said out of the box."""

from datetime import timedelta

from django.db import migrations

from success.notifications.defaults import Template, default
from success.timetable import Row
from success.timetable import default as scheduled

TEXT = """{% if first_name %}Hi {{ first_name }},

{% endif %}{% if count == 1 %}You got somewhere while nobody was looking:{% else %}You got somewhere while nobody was looking, {{ count }} times over:{% endif %}

{% for one in milestones %}{{ one.name }}. {{ one.words }}{% if one.reward %} {{ one.reward }}{% endif %}

{% endfor %}{% if opens_next %}What comes next: {{ opens_next }}

{% endif %}{{ sender }}"""
DIGEST = Template(
    key="milestones_digest",
    category="milestones",
    subject="{% if count == 1 %}You reached “{{ milestones[0].name }}”{% else %}You reached “{{ milestones[0].name }}”, and more{% endif %}",
    text=TEXT,
    button="See how far you are",
    link="{{ product_url }}",
    cap_days=1,
    good_for_days=3,
    example={
        "first_name": "Sarah", "count": 2, "opens_next": "Sort them by wedding date and see which month is still open.", "product_url": "https://app.example.com",
        "milestones": [
            {"name": "Client list", "words": "27 couples in one list. That is a season you can see at a glance."},
            {"name": "First form", "words": "Your first form is ready to send.", "reward": "Yours now: In full swing. A mark on your profile."},
        ],
    },
)  # fmt: skip
ROWS = [Row(job="milestones.digest", queue="send", every=timedelta(minutes=10), description="Asks for a mail about what suppliers reached and have not seen.")]

# What was said out of the box, and is said since; where people wrote something else, that stays.
WORDS = {
    "client_list": ("25 couples in one list.", "{{ count }} couples in one list."),
    "form_library": ("Three forms: one for each", "{{ count }} forms: one for each"),
    "journey_set": ("Three journeys, for the", "{{ count }} journeys, for the"),
    "many_answers": ("Couples have filled in 25 forms.", "Couples have filled in {{ count }} forms."),
    "many_steps": ("50 steps were done", "{{ count }} steps were done"),
}
NOTICE = ("{{ words }}{% if opens_next %} {{ opens_next }}{% endif %}", "{{ words }}{% if reward %} {{ reward }}{% endif %}{% if opens_next %} {{ opens_next }}{% endif %}")


def say(apps, before, after):
    """Where it still reads as `before` it reads as `after`: places of the pairs above."""
    for key, words in WORDS.items():
        for milestone in apps.get_model("milestones", "Milestone").objects.filter(key=key, words__startswith=words[before]):
            milestone.words = milestone.words.replace(words[before], words[after], 1)
            milestone.save(update_fields=["words"])
    templates = apps.get_model("success", "MessageTemplate").objects.filter(key="milestone_reached", in_app_text=NOTICE[before])
    templates.update(in_app_text=NOTICE[after])


class Migration(migrations.Migration):
    dependencies = [("milestones", "0009_unseen_index"), ("success", "0022_push")]
    operations = [
        default([DIGEST]),
        scheduled(ROWS),
        migrations.RunPython(lambda apps, _: say(apps, 0, 1), lambda apps, _: say(apps, 1, 0)),
    ]
