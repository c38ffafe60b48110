"""The templates that an app brings along, entered by a migration of its own. People may change them; what they wrote stays."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.db.migrations import RunPython


@dataclass(frozen=True, kw_only=True)
class Template:
    """A default row of `MessageTemplate`."""

    key: str
    category: str
    subject: str = ""
    text: str = ""
    button: str = ""
    link: str = ""
    in_app_title: str = ""
    in_app_text: str = ""
    cap_days: int = 7
    good_for_days: int = 3
    example: dict[str, Any] = field(default_factory=dict)


def default(templates: Sequence[Template]) -> RunPython:
    """The operation of a migration that enters templates; backwards it takes out those that were never used."""

    def forwards(apps: Any, _: object) -> None:
        for template in templates:
            values = asdict(template)
            apps.get_model("success", "MessageTemplate").objects.get_or_create(key=values.pop("key"), defaults=values)

    def backwards(apps: Any, _: object) -> None:
        used = [apps.get_model("success", name).objects.values("template") for name in ("Send", "Notification")]
        found = apps.get_model("success", "MessageTemplate").objects.filter(key__in=[template.key for template in templates])
        for one in used:
            found = found.exclude(pk__in=one)
        found.delete()

    return RunPython(forwards, backwards)
