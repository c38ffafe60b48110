"""System checks that refuse an unsafe start in production: `manage.py` and the web process go no further."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.exceptions import ImproperlyConfigured

from success.roles import ROLES
from success.tokens import SYMMETRIC

QUIET = re.compile("([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]")
ORIGIN = re.compile(r"https://[A-Za-z0-9.\-]+(:\d{1,5})?")
ALGORITHMS = {"HS256", "RS256", "ES256"}
LONG_ENOUGH = 50  # characters of SECRET_KEY, as Django's own check has it
SECRET_BYTES = 32  # of an HS256 secret (RFC 7518, 3.2)


@register(Tags.security)
def safe_for_production(app_configs: Sequence[AppConfig] | None = None, **_: Any) -> list[CheckMessage]:
    """What would be unsafe with DEBUG off; nothing while it is on."""
    return [] if settings.DEBUG else [*unsafe(), *unsafe_tokens()]


def unsafe() -> Iterator[Error]:
    if len(settings.SECRET_KEY) < LONG_ENOUGH or len(set(settings.SECRET_KEY)) < 5:
        yield Error(
            f"SECRET_KEY is shorter than {LONG_ENOUGH} characters, or has hardly any different ones.", hint="Set it, or SECRET_KEY_FILE.", id="success.E001"
        )
    if len(settings.SENSITIVE_KEY) < LONG_ENOUGH or settings.SENSITIVE_KEY in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        hint = "Set it once, to a key of its own, and keep it: with another, nobody knows who asked to be forgotten."
        yield Error(f"SENSITIVE_KEY is not set, shorter than {LONG_ENOUGH} characters, or the same as SECRET_KEY.", hint=hint, id="success.E009")
    if not settings.ALLOWED_HOSTS or "*" in settings.ALLOWED_HOSTS:
        yield Error("ALLOWED_HOSTS does not name the hosts that are ours.", hint="Set it, as in success.example.com.", id="success.E002")
    if settings.NUM_PROXIES < 0:
        hint = "Set how many proxies of yours stand before the web process, 0 for none: limits go by the address of the client."
        yield Error("NUM_PROXIES is not set.", hint=hint, id="success.E003")
    if unknown := set(settings.REQUIRE_SECOND_FACTOR) - set(ROLES):
        hint = f"Name some of: {', '.join(ROLES)}."
        yield Error(f"REQUIRE_SECOND_FACTOR names no role of ours: {', '.join(sorted(unknown))}.", hint=hint, id="success.E010")
    if settings.EMAIL_PROVIDER and ":" not in settings.EMAIL_WEBHOOK_SECRET:
        hint = "Set it to user:password, and give it to the provider with the address of the webhook: without it anybody could say that our mail bounced."
        yield Error("EMAIL_PROVIDER is set and EMAIL_WEBHOOK_SECRET is not.", hint=hint, id="success.E011")
    if not QUIET.fullmatch(settings.QUIET_HOURS):
        yield Error("QUIET_HOURS is no pair of times.", hint="Set it, as in 21:00-08:00.", id="success.E012")
    if strange := [one for one in settings.PRODUCT_ORIGINS if not ORIGIN.fullmatch(one)]:
        hint = "Name each as scheme://host, as in https://app.example.com, and no * for all: whoever may read the API and the stream is in this list."
        yield Error(f"PRODUCT_ORIGINS names what is no origin: {', '.join(strange)}.", hint=hint, id="success.E013")
    if settings.DEMO:
        yield Error("DEMO is on with DEBUG off: invented suppliers would mix with real ones.", hint="Set DEMO=0.", id="success.E004")


def unsafe_tokens() -> Iterator[Error]:
    if settings.JWT_ALGORITHM not in ALGORITHMS:
        yield Error("JWT_ALGORITHM is not HS256, RS256 or ES256.", id="success.E005")
    elif settings.JWT_ALGORITHM in SYMMETRIC:
        if not settings.JWT_SECRET:
            hint = "Set JWT_SECRET, or JWT_JWKS_URL with JWT_ALGORITHM=RS256 or ES256."
            yield Error("No secret or key set for the tokens of product users.", hint=hint, id="success.E006")
        elif len(settings.JWT_SECRET.encode()) < SECRET_BYTES:
            yield Error(f"JWT_SECRET is shorter than {SECRET_BYTES} bytes.", id="success.E007")
    elif not settings.JWT_JWKS_URL.startswith("https://"):
        yield Error(f"JWT_ALGORITHM is {settings.JWT_ALGORITHM}, so JWT_JWKS_URL must be set, and https.", id="success.E006")
    if not settings.JWT_AUDIENCE:
        yield Error("JWT_AUDIENCE is not set: tokens made for others would be taken.", id="success.E008")


def refuse_if_unsafe() -> None:
    """The web process does not start where `manage.py check` would fail for safety.

    Raises:
        ImproperlyConfigured: with all that is wrong.
    """
    if found := safe_for_production():
        raise ImproperlyConfigured("\n".join(str(message) for message in found))
