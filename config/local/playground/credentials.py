"""What the page is given as a product gives its own: a key that may only send, as it stands in any page with Segment's analytics.js, and short tokens."""

import base64
import hashlib
import hmac
from datetime import timedelta

import jwt
from django.conf import settings

from success import clock, keys
from success.models import ApiKey, Source
from success.models.sources import Scope

NAME = "WedSync (playground)"
GOOD_FOR = timedelta(minutes=5)


def write_key() -> str:
    """The key, the same in each process and another in each installation. Its source goes with the demo: what it brings is the demo's."""
    digest = hmac.digest(settings.SECRET_KEY.encode(), b"playground", hashlib.sha256)
    key = keys.PREFIX + base64.b32encode(digest).decode().lower()[:40]
    if not ApiKey.objects.filter(digest=keys.digest_of(key)).exists():
        source, _ = Source.objects.get_or_create(name=NAME, defaults={"is_demo": True})
        keys.create(source=source, name="playground", scopes=[Scope.INGEST], key=key)
        keys.forget()
    return key


def token(supplier: str) -> str:
    """A product user's token, for some minutes of the world's."""
    claims = {"sub": supplier, "supplier": supplier, "aud": settings.JWT_AUDIENCE, "exp": clock.real() + GOOD_FOR}
    if settings.JWT_ISSUER:
        claims["iss"] = settings.JWT_ISSUER
    return jwt.encode(claims, settings.JWT_SECRET, algorithm="HS256")
