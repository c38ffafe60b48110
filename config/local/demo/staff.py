"""The demo's people: two success managers, who own its suppliers, and their lead. All can sign in; the administrator is the checkout's own."""

import base64
import hashlib
import hmac
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, User

from config.local.demo.world import OWNERS
from success.models import Colleague
from success.roles import LEAD, MANAGER

DOMAIN = "@wedsync.example.com"
PEOPLE = {OWNERS[0]: ("Maya", "Lindqvist", MANAGER), OWNERS[1]: ("Tom", "Okafor", MANAGER), "ines.moreau": ("Ines", "Moreau", LEAD)}


@dataclass(frozen=True, slots=True)
class SignIn:
    user: str
    password: str
    role: str


def password_of(user: str) -> str:
    """The same at each start, and another in each installation."""
    digest = hmac.digest(settings.SECRET_KEY.encode(), f"demo staff {user}".encode(), hashlib.sha256)
    return base64.b32encode(digest).decode().lower()[:16]


def hire() -> list[SignIn]:
    """The demo's people are there and can sign in, managers first. One whose name a real person has is left out."""
    hired = []
    for name, (first, last, role) in PEOPLE.items():
        about = {"email": name + DOMAIN, "first_name": first, "last_name": last, "is_staff": True}
        user, _ = get_user_model().objects.get_or_create(username=name, defaults=about)
        if user.email != name + DOMAIN:
            continue
        Colleague.objects.get_or_create(user=user, defaults={"booking_url": f"https://cal.example.com/{name}" if role == MANAGER else ""})
        give(user, password=password_of(name), role=role)
        hired.append(SignIn(name, password_of(name), role))
    return hired


def give(user: User, *, password: str, role: str) -> None:
    """The user has this password and this role alone. A password that is right stays, so nobody is signed out."""
    if not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])
    user.groups.set(Group.objects.filter(name=role))


def ours() -> list[int]:
    """The demo's own people."""
    emails = [name + DOMAIN for name in PEOPLE]
    return list(get_user_model().objects.filter(username__in=PEOPLE, email__in=emails).values_list("pk", flat=True))
