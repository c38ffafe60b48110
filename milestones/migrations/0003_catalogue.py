"""The ladder out of the box, as WedSync's suppliers climb it."""

from django.db import migrations

from milestones.requirements import COUNTED, is_counted, measures, parse

FORM, ANSWER, JOURNEY, STEP, CLIENT = "Form Created", "Form Completed", "Journey Created", "Journey Step Completed", "Client Active"
REWARDS = [
    {"key": "trial_week", "name": "A week more to try", "kind": "trial_extension", "value": 7, "unit": "days", "active": False,
     "words": "Your trial is seven days longer, so that a whole season fits in."},
    {"key": "healthy_badge", "name": "In full swing", "kind": "badge", "value": 1, "words": "A mark on your profile that says you are at home here."},
]  # fmt: skip


def times(event, n):
    return {"count": f"event:{event}", "at_least": n}


# key, name, icon, what it takes, after, tier, due days, celebration, words, what opens up next, reward
LADDER = [
    ("profile_complete", "Profile complete", "badge", {"profile": ["name", "email", "phone"]}, None, 1, 3, "none",
     "Your couples see who writes to them, and how to reach you.", "Add the first couple you work with.", None),
    ("first_client", "First client", "person_add", {"count": "clients", "at_least": 1}, None, 1, 3, "full",
     "Your first couple is here. From now on their dates, forms and messages stay together.", "Send them a form: what do they wish for on the day?", None),
    ("first_import", "Clients brought over", "upload_file", {"feature": "clients_imported"}, None, 1, 7, "note",
     "Your list came over in one go. Nothing to type twice.", "Look through your couples and archive the weddings that are over.", None),
    ("first_form", "First form", "description", {"feature": "forms_created"}, None, 1, 7, "full",
     "Your first form is ready to send.", "Send it to one couple and see their answers arrive.", None),
    ("first_template", "First template used", "dashboard_customize", {"feature": "templates_used"}, None, 1, 10, "note",
     "You began with a template and made it yours.", "Keep the version you like as your own template.", None),
    ("three_days", "Three days in a row", "local_fire_department", {"streak": "days", "at_least": 3}, None, 1, 10, "note",
     "Three days running. It is becoming part of your week.", "Set ten minutes aside on Mondays for the week's couples.", None),
    ("two_features", "Two tools in use", "handyman", {"features": 2}, None, 1, 10, "none",
     "You use two of the tools now. They work better together.", "Put a form into a journey, and it is sent at the right time.", None),
    ("first_client_active", "A couple answers back", "forum", times(CLIENT, 1), "first_client", 1, 14, "note",
     "One of your couples was here and did something themselves.", "Tell the others that they can do the same.", None),
    ("first_form_answered", "First answers", "task_alt", times(ANSWER, 1), "first_form", 1, 14, "full",
     "A couple filled in your form. Their answers are in one place.", "Send the same form to your next couples.", None),
    ("first_journey", "First journey", "route", {"feature": "journeys_created"}, None, 1, 14, "full",
     "Your first journey is set up: from enquiry to the album, step by step.", "Start it for one couple.", None),
    ("first_step_done", "A journey under way", "directions_walk", times(STEP, 1), "first_journey", 1, 21, "note",
     "A couple took the first step of your journey without a reminder from you.", "Start it for all couples of this season.", None),
    ("client_list", "Client list", "groups", {"count": "clients", "at_least": 25}, "first_client", 1, 30, "full",
     "25 couples in one list. That is a season you can see at a glance.", "Sort them by wedding date and see which month is still open.", None),
    ("all_features", "Every tool in use", "apps", {"features": 4}, "two_features", 2, 30, "full",
     "Forms, clients, journeys and templates: you use all of it.", "Let journeys send your forms, so that you need not think of it.", "trial_week"),
    ("four_weeks", "Four weeks in a row", "calendar_month", {"streak": "weeks", "at_least": 4}, None, 1, 35, "note",
     "Four weeks running. You have a routine.", "Look at which forms come back slowly, and shorten one.", None),
    ("form_library", "A form for each occasion", "library_books", times(FORM, 3), "first_form", 2, 45, "note",
     "Three forms: one for each moment you ask your couples something.", "Put each into the journey where it belongs.", None),
    ("journey_set", "A journey for each kind of wedding", "alt_route", times(JOURNEY, 3), "first_journey", 2, 60, "note",
     "Three journeys, for the different weddings you shoot.", "Start the right one the moment a couple books.", None),
    ("many_answers", "25 answers", "inventory", times(ANSWER, 25), "first_form_answered", 2, 60, "note",
     "Couples have filled in 25 forms. Each one saved you a round of messages.", "Use their answers to prepare the shot list.", None),
    ("many_steps", "Journeys that run themselves", "conveyor_belt", times(STEP, 50), "first_step_done", 2, 60, "note",
     "50 steps were done by your couples, in their own time.", "See at which step they wait longest.", None),
    ("season_ready", "Ready for the season", "photo_camera",
     {"all": [{"count": "clients", "at_least": 25}, times(ANSWER, 1), times(STEP, 1)]}, "first_client", 1, 60, "full",
     "Couples, answers and journeys are all in place. The season can come.", "Ask us for a look at your set-up before the first wedding.", None),
    ("first_healthy_month", "A good month", "favorite", {"held": "healthy", "days": 30}, None, 1, 60, "full",
     "A whole month in full swing, with active couples and answered forms.", "Tell a colleague how you work.", "healthy_badge"),
    ("twelve_weeks", "Twelve weeks in a row", "event_repeat", {"streak": "weeks", "at_least": 12}, "four_weeks", 2, 100, "note",
     "Twelve weeks running, through busy ones and quiet ones.", "Plan next season from what you learnt in this one.", None),
    ("healthy_quarter", "A good season", "emoji_events", {"held": "healthy", "days": 90}, "first_healthy_month", 2, 120, "full",
     "Three months in full swing. That is a season well run.", "Show us what you built: others would like to see it.", None),
]  # fmt: skip


def fill(apps, schema_editor):
    Milestone, Reward = apps.get_model("milestones", "Milestone"), apps.get_model("milestones", "Reward")
    rewards = {one["key"]: Reward.objects.create(**one) for one in REWARDS}
    made = {}
    for place, (key, name, icon, requirement, after, tier, due, celebration, words, opens_next, reward) in enumerate(LADDER, start=1):
        made[key] = Milestone.objects.create(
            key=key, name=name, icon=icon, requirement=requirement, after=made.get(after), tier=tier, due_days=due, celebration=celebration,
            words=words, opens_next=opens_next, reward=rewards.get(reward), place=place * 10,
        )  # fmt: skip
    watch(apps, made.values())


def watch(apps, milestones):
    """As `milestones.definitions.watch`, with the tables as they were then."""
    EventName, Feature = apps.get_model("success", "EventName"), apps.get_model("success", "Feature")
    Threshold = apps.get_model("milestones", "Threshold")
    for milestone in milestones:
        requirement = parse(milestone.requirement)
        for one in measures(requirement):
            if one.kind not in COUNTED:
                continue
            of = 0
            if one.kind == "event":
                of = EventName.objects.get_or_create(name=one.of)[0].pk
            elif one.kind == "feature":
                of = Feature.objects.get(key=one.of).pk
            Threshold.objects.create(milestone=milestone, kind=one.kind, of=of, n=one.target, counter=one.counter, whole=is_counted(requirement))


class Migration(migrations.Migration):
    dependencies = [("milestones", "0002_detect")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
