"""Who is locked out for a while after too many wrong passwords, and letting them try again."""

from dataclasses import dataclass
from datetime import datetime

from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Max, Sum

from success import colleagues


@dataclass(frozen=True, slots=True)
class Lockout:
    """A name that nobody gets in with from this address until then."""

    name: str
    address: str
    failures: int
    until: datetime


def active(*, at: datetime) -> list[Lockout]:
    """Those that hold now, the latest first."""
    recent = AccessAttempt.objects.filter(attempt_time__gt=at - settings.AXES_COOLOFF_TIME)
    sums = recent.order_by().values("username", "ip_address").annotate(n=Sum("failures_since_start"), last=Max("attempt_time"))
    over = sums.filter(n__gte=settings.AXES_FAILURE_LIMIT).order_by("-last")
    return [Lockout(one["username"], one["ip_address"] or "", one["n"], one["last"] + settings.AXES_COOLOFF_TIME) for one in over]


def lift(*, name: str, address: str, by: User, at: datetime) -> bool:
    """The name can be tried from there again at once; whether there was anything to lift."""
    lifted, _ = AccessAttempt.objects.filter(username=name, ip_address=address or None).delete()
    for user in User.objects.filter(username=name) if lifted else ():
        colleagues.note(user, "lockout lifted", by=by, at=at)
    return bool(lifted)
