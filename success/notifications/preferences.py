"""What a supplier wants to be told, how and when; and that a no holds from the moment it was said."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from success.models import Preferences
from success.models.notifications import Category
from success.notifications import gates, sending
from success.notifications.channels import OF_SUPPLIERS
from success.stream import pushes

CATEGORIES = {value: label for value, label in Category.choices if value != Category.STAFF}


def shown(supplier: int) -> dict[str, Any]:
    """All that a supplier can choose, as it stands; also before she chose anything."""
    return as_said(Preferences.objects.filter(pk=supplier).first() or Preferences())


def as_said(found: Preferences) -> dict[str, Any]:
    start, end = settings.QUIET_HOURS.split("-")
    return {
        "channels": {channel: found.channels.get(channel, True) for channel in OF_SUPPLIERS},
        "categories": {category: found.categories.get(category, True) for category in CATEGORIES},
        "quiet_hours": found.quiet_hours or {"start": start, "end": end},
        "paused_until": found.paused_until,
    }


@transaction.atomic
def change(supplier: int, changes: Mapping[str, Any], *, at: datetime) -> Preferences:
    """What was said holds, the rest stays; what was on its way against it is dropped."""
    Preferences.objects.bulk_create([Preferences(supplier_id=supplier, changed_at=at)], ignore_conflicts=True)
    found = Preferences.objects.select_for_update().get(pk=supplier)
    for name, value in changes.items():
        setattr(found, name, {**getattr(found, name), **value} if name in ("channels", "categories") else value)
    if changes.get("channels", {}).get("email") is not None:
        found.unsubscribed_at = None if found.channels["email"] else found.unsubscribed_at or at
    found.changed_at = at
    found.save()
    for name, gate in (("channel", "channel_off"), ("category", "category_off")):
        chosen = found.channels if name == "channel" else found.categories
        if off := [key for key, wanted in chosen.items() if not wanted]:
            sending.drop_queued(Q(supplier=supplier, **{f"{name}__in": off}), gate=gate, reason=gates.WORDS[gate], at=at)
    if not found.wants(channel="in_app", category=Category.MILESTONES) or (found.paused_until and found.paused_until > at):
        pushes.hush(supplier, at=at)
    return found


def unsubscribe(supplier: int, *, at: datetime) -> None:
    """No mail goes to her any more, but for what had left already."""
    change(supplier, {"channels": {"email": False}}, at=at)
