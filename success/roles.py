"""Who of our own people may do what: three roles as groups, made after each migration."""

from typing import Any

from django.apps import apps
from django.db.models import Q

ROLES = MANAGER, LEAD, ADMINISTRATOR = "success manager", "lead", "administrator"

SEE = [
    "supplier",
    "contact",
    "client",
    "facts",
    "event",
    "statuschange",
    "eventname",
    "feature",
    "assessment",
    "snapshot",
    "override",
    "segment",
    "milestone",
    "reward",
    "achievement",
    "grant",
    "send",
    "notification",
    "push",
    "messagetemplate",
]
SEE_OPERATIONS = ["jobrun", "deadletter", "delivery", "source", "traituse", "customfield"]
EVERYTHING_OF = ("success", "health", "milestones", "interventions", "django_celery_beat", "auth")

# Model name (or another noun of a permission) -> actions, by role; each has also what the one before it has.
MORE = {"supplier": ("view", "change"), "board": ("view",), "savedview": ("view", "add", "change", "delete")}
WORK = ["note", "touchpoint", "task", "snooze"]
GRANTS: dict[str, dict[str, tuple[str, ...]]] = {
    MANAGER: {
        "playbook": ("view", "run"),
        "intervention": ("view",),
        "decision": ("view",),
        **dict.fromkeys(SEE, ("view",)),
        **dict.fromkeys(WORK, ("view", "add", "change")),
        "override": ("view", "add"),
        **MORE,
    },
    LEAD: {
        **dict.fromkeys(SEE_OPERATIONS, ("view",)),
        "override": ("set_any",),
        "upload": ("view", "add"),
        "savedview": ("change_any",),
        "segment": ("add", "change"),
        "colleague": ("hand_over",),
        "portfolio": ("view",),
        "playbook": ("switch", "add", "change"),
        "grant": ("settle",),
        "send": ("stop",),
        "messagetemplate": ("change",),
    },
}


def make_roles(**_: Any) -> None:
    """The groups exist with exactly these permissions. What a page forbids (deleting from a ledger) no role can do."""
    groups, permissions, granted = apps.get_model("auth.Group").objects, apps.get_model("auth.Permission").objects, set[int]()
    for role, models in GRANTS.items():
        wanted = Q(pk=None)
        for model, actions in models.items():
            wanted |= Q(codename__in=[f"{action}_{model}" for action in actions])
        granted |= set(
            permissions.filter(wanted, content_type__app_label__in=["success", "health", "milestones", "interventions"]).values_list("pk", flat=True)
        )
        groups.get_or_create(name=role)[0].permissions.set(granted)
    everything = permissions.filter(content_type__app_label__in=EVERYTHING_OF)
    groups.get_or_create(name=ADMINISTRATOR)[0].permissions.set(everything)
