"""The kill switch: while it is pulled nothing goes out, and nothing is lost."""

from datetime import datetime

from django.contrib.auth.models import User

from success import due
from success.models import Send, SendingStop
from success.models.due import State
from success.notifications.sending import SEND


def current() -> SendingStop | None:
    """The stop that holds now."""
    return SendingStop.objects.filter(ended_at=None).select_related("by").first()


def stop(*, reason: str, by: User, at: datetime) -> SendingStop:
    """Nothing goes out from now on; what a mail server is being handed at this moment still arrives. A stop that holds already stays as it is."""
    SendingStop.objects.bulk_create([SendingStop(at=at, by=by, reason=reason)], ignore_conflicts=True)
    return SendingStop.objects.get(ended_at=None)


def resume(*, by: User, at: datetime) -> bool:
    """What waited goes out; says whether it was stopped."""
    ended = bool(SendingStop.objects.filter(ended_at=None).update(ended_at=at, ended_by=by))
    due.hint(SEND)
    return ended


def waiting(*, at: datetime) -> int:
    """How many messages are due."""
    return Send.objects.filter(state=State.QUEUED, due_at__lte=at).count()
