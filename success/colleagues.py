"""Colleagues: invited by mail, given a role, let go without being deleted."""

import smtplib
from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, User
from django.contrib.auth.tokens import default_token_generator
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.mail import send_mail
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from success import roles
from success.models import Colleague

INVITED = "You are invited to customer success", "{by} invites you to the customer success console, as {role}."
AGAIN = "A new password for customer success", "{by} sends you a link to choose a new password for the customer success console."
LETTER = """Hello {name},

{why}

Choose a password here and you are in. The link is good for {days} days, and once:

{link}

Afterwards you sign in at {home} as {username}.
"""


class Refused(Exception):
    """What was asked for cannot be. The docstring of each kind says why, and what to do."""

    def __str__(self) -> str:
        return str(self.__doc__)


class AddressTaken(Refused):
    """A colleague has this address already. Open their page to send them a new link or to let them back in."""


class LastAdministrator(Refused):
    """Nobody would be left to administer. Make another colleague an administrator first."""


class NotYourself(Refused):
    """You cannot do this to yourself. Ask another administrator."""


class NotActive(Refused):
    """This colleague is deactivated. Let them back in first."""


class NotSent(Refused):
    """The mail could not be sent. The invitation is kept: see that the mail server (EMAIL_URL) answers, then send it again."""


# ---------------------------------------------------------------- reading


def called(user: User) -> str:
    """What a colleague goes by: their name, else what they sign in with."""
    return user.get_full_name() or user.get_username()


def role_of(user: User) -> str:
    """The role of a colleague; an account with all rights administers, one without a group has none and sees nothing."""
    names = {group.name for group in user.groups.all()}
    return next((role for role in reversed(roles.ROLES) if role in names), "") if not user.is_superuser else roles.ADMINISTRATOR


def administrators() -> QuerySet[User]:
    """Those who administer and can sign in."""
    return User.objects.filter(Q(is_superuser=True) | Q(pk__in=User.objects.filter(groups__name=roles.ADMINISTRATOR)), is_active=True)


def history(user: User) -> QuerySet[LogEntry]:
    """What administrators did about a colleague, the latest first."""
    return LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(User), object_id=str(user.pk)).select_related("user").order_by("-pk")


# ---------------------------------------------------------------- changing


@transaction.atomic
def invite(*, address: str, first_name: str, last_name: str, role: str, own_book_only: bool, by: User, at: datetime) -> User:
    """Somebody is a colleague who has no password yet; the link to choose one is `send_link`'s.

    Raises:
        AddressTaken: by a colleague, also one who is deactivated.
    """
    address = address.lower()
    if User.objects.filter(Q(username__iexact=address) | Q(email__iexact=address)).exists():
        raise AddressTaken
    user = User(username=address, email=address, first_name=first_name, last_name=last_name, is_staff=True, date_joined=at)
    user.set_unusable_password()
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:  # invited by two at once
        raise AddressTaken from None
    give(user, role=role, own_book_only=own_book_only)
    note(user, f"invited as {role}", by=by, at=at)
    return user


def send_link(*, user: User, by: User, at: datetime) -> None:
    """A mail with a link to choose a password is on its way; who has none yet finds earlier links void.

    Raises:
        NotActive, NotSent
    """
    if not user.is_active:
        raise NotActive
    if not user.has_usable_password():
        user.set_unusable_password()
        user.save(update_fields=["password"])
    subject, text = letter(user, by=by)
    try:
        send_mail(subject, text, None, [user.email])
    except (OSError, smtplib.SMTPException):
        note(user, "the link could not be sent", by=by, at=at)
        raise NotSent from None
    note(user, "sent a link to choose a password", by=by, at=at)


def letter(user: User, *, by: User) -> tuple[str, str]:
    """Subject and text for who is invited, or for who is to choose a new password."""
    subject, why = AGAIN if user.has_usable_password() else INVITED
    text = LETTER.format(
        name=called(user),
        why=why.format(by=called(by), role=role_of(user) or "colleague"),
        days=settings.PASSWORD_RESET_TIMEOUT // 86400,
        link=link_for(user),
        home=settings.BASE_URL + reverse("admin:index"),
        username=user.get_username(),
    )
    return subject, text


def link_for(user: User) -> str:
    """Where this colleague chooses a password. Signed, dated, and void once the password or the address changes."""
    arguments = [urlsafe_base64_encode(force_bytes(user.pk)), default_token_generator.make_token(user)]
    return f"{settings.BASE_URL}{reverse('console:welcome', args=arguments)}"


@transaction.atomic
def set_role(*, user: User, role: str, own_book_only: bool, by: User, at: datetime) -> None:
    """The colleague has this role and no other.

    Raises:
        NotYourself, LastAdministrator
    """
    before = role_of(user)
    if user.pk == by.pk and role != before:
        raise NotYourself
    if role != roles.ADMINISTRATOR:
        keep_an_administrator(besides=user)
        user.is_superuser = False
        user.save(update_fields=["is_superuser"])
    give(user, role=role, own_book_only=own_book_only)
    note(user, f"role: {before or 'none'} → {role}{', own book only' if own_book_only else ''}", by=by, at=at)


@transaction.atomic
def deactivate(*, user: User, by: User, at: datetime) -> None:
    """The colleague cannot sign in and is signed out everywhere; what they did stays theirs.

    Raises:
        NotYourself, LastAdministrator
    """
    if user.pk == by.pk:
        raise NotYourself
    keep_an_administrator(besides=user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    sign_out([user.pk], at=at)
    note(user, "deactivated", by=by, at=at)


@transaction.atomic
def reactivate(*, user: User, by: User, at: datetime) -> None:
    """The colleague can sign in as before, with the role they had."""
    User.objects.filter(pk=user.pk).update(is_active=True)
    note(user, "let back in", by=by, at=at)


@transaction.atomic
def save_settings(*, user: User, first_name: str, last_name: str, **chosen: str) -> None:
    """A colleague's own name, and what else they chose: time zone, language, booking page."""
    User.objects.filter(pk=user.pk).update(first_name=first_name, last_name=last_name)
    Colleague.objects.update_or_create(user=user, defaults=chosen)


# ---------------------------------------------------------------- steps


def give(user: User, *, role: str, own_book_only: bool) -> None:
    user.groups.set(Group.objects.filter(name=role))
    Colleague.objects.update_or_create(user=user, defaults={"own_book_only": own_book_only})


def keep_an_administrator(*, besides: User) -> None:
    """One of the others administers. The rows are locked, so that two do not let each other go at once."""
    active = list(administrators().order_by("pk").select_for_update(of=("self",)))
    if besides in active and len(active) == 1:
        raise LastAdministrator


def sign_out(people: Iterable[int], *, at: datetime) -> None:
    """Sessions of these people are gone: reactivated, nobody finds an old one open."""
    wanted = {str(pk) for pk in people}
    open_sessions = Session.objects.filter(expire_date__gt=at)
    ours = [session.pk for session in open_sessions.iterator() if session.get_decoded().get("_auth_user_id") in wanted]
    Session.objects.filter(pk__in=ours).delete()


def note(user: User, what: str, *, by: User, at: datetime) -> None:
    """It stands in the colleague's history who did what. (By key alone: the names are on the accounts.)"""
    kind = ContentType.objects.get_for_model(User)
    LogEntry.objects.create(user=by, content_type=kind, object_id=str(user.pk), object_repr="", action_flag=CHANGE, change_message=what, action_time=at)
