"""The second factor of our own people: a code from an app on their phone, and recovery codes for the day it is lost."""

import secrets
import time
from base64 import b32encode
from datetime import datetime
from hashlib import sha256
from math import ceil

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django_otp.models import Device
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_otp.util import random_hex

from success import colleagues

RECOVERY_CODES = 10
DIGITS = 6


class NotRight(colleagues.Refused):
    """That code is not right, or was used before. Wait for the next one in your app and type that, or use a recovery code."""


class ThereAlready(colleagues.Refused):
    """You have a second factor already. Remove it first to set up another."""


class TooSoon(colleagues.Refused):
    """Too many wrong codes."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds

    def __str__(self) -> str:
        return f"Too many wrong codes. Wait {self.seconds} second{'' if self.seconds == 1 else 's'} and try the next one."


# ---------------------------------------------------------------- reading


def has_one(user: User) -> bool:
    return bool(TOTPDevice.objects.filter(user=user.pk, confirmed=True).exists())


def is_required(user: User) -> bool:
    """Whether this person's role may do nothing without a second factor."""
    return bool(settings.REQUIRE_SECOND_FACTOR) and colleagues.role_of(user) in settings.REQUIRE_SECOND_FACTOR


def codes_left(user: User) -> int:
    """How many recovery codes are unused."""
    return sum(device.token_set.count() for device in StaticDevice.objects.filter(user=user.pk))


def new_key() -> str:
    """A secret for an app, in hexadecimal."""
    return str(random_hex(20))


def in_letters(key: str) -> str:
    """A secret as apps take it by hand."""
    return b32encode(bytes.fromhex(key)).decode()


def address_of(user: User, key: str) -> str:
    """A secret as apps take it by QR code."""
    return str(TOTPDevice(user=user, key=key).config_url)


# ---------------------------------------------------------------- changing


def enrol(*, user: User, key: str, code: str) -> tuple[Device, list[str]]:
    """The secret is this person's second factor, since its app told the right code; with it come recovery codes, in words here and never again.

    Raises:
        NotRight: so the app does not hold this secret, or its clock is wrong.
        ThereAlready: one replaces it by removing it first, with a code.
    """
    plain, now = typed(code), TOTP(bytes.fromhex(key))
    now.time = time.time()
    if not is_of_app(plain) or not now.verify(int(plain), tolerance=1):
        raise NotRight
    codes = [new_recovery_code() for _ in range(RECOVERY_CODES)]
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        if has_one(user):
            raise ThereAlready
        forget(user)
        device = TOTPDevice.objects.create(user=user, name="app", key=key, last_t=now.t(), drift=now.drift)
        recovery = StaticDevice.objects.create(user=user, name="recovery codes")
        StaticToken.objects.bulk_create([StaticToken(device=recovery, token=digest(one)) for one in codes])
    return device, codes


def verify(*, user: User, code: str) -> Device:
    """The device that this code came from; the code is used up.

    Raises:
        NotRight, TooSoon
    """
    plain = typed(code)
    by_app = is_of_app(plain)
    with transaction.atomic():  # a wrong code counts: nothing is raised in here
        device = (TOTPDevice if by_app else StaticDevice).objects.select_for_update().filter(user=user.pk, confirmed=True).first()
        if device is None:
            raise NotRight
        allowed, why = device.verify_is_allowed()
        verified = allowed and device.verify_token(plain if by_app else digest(plain))
    if not allowed:
        raise TooSoon(max(1, ceil((why["locked_until"] - timezone.now()).total_seconds())))
    if not verified:
        raise NotRight
    return device


def remove(*, user: User, code: str) -> None:
    """This person signs in by password alone again.

    Raises:
        NotRight, TooSoon
    """
    verify(user=user, code=code)
    forget(user)


@transaction.atomic
def reset(*, user: User, by: User, at: datetime) -> None:
    """A colleague who has lost phone and codes signs in by password alone, anew everywhere.

    Raises:
        NotYourself: one's own goes with a code.
    """
    if user.pk == by.pk:
        raise colleagues.NotYourself
    forget(user)
    colleagues.sign_out([user.pk], at=at)
    colleagues.note(user, "second factor taken off", by=by, at=at)


# ---------------------------------------------------------------- steps


def forget(user: User) -> None:
    for model in (TOTPDevice, StaticDevice):
        model.objects.filter(user=user.pk).delete()


def new_recovery_code() -> str:
    """Four groups of four letters and digits: 80 bits."""
    letters = b32encode(secrets.token_bytes(10)).decode().lower()
    return "-".join(letters[start : start + 4] for start in range(0, 16, 4))


def is_of_app(code: str) -> bool:
    return len(code) == DIGITS and code.isdecimal()


def typed(code: str) -> str:
    """A code as it counts, however it was typed."""
    return "".join(code.split()).replace("-", "").lower()


def digest(code: str) -> str:
    """What is kept of a recovery code."""
    return sha256(typed(code).encode()).hexdigest()[:16]
