"""Tokens of the product's users: whose supplier they speak for."""

import re
from dataclasses import dataclass
from functools import cache

import jwt
from django.conf import settings

NOT_IN_AN_ID = re.compile("[\\0\ud800-\udfff]")  # what PostgreSQL cannot hold
SYMMETRIC = {"HS256", "HS384", "HS512"}


class NotValid(Exception):
    """This is not a token of the product for us."""


@dataclass(frozen=True, slots=True)
class Holder:
    """For whom a token speaks: the supplier's external id, the person (`sub`), and until when, in seconds since 1970."""

    supplier: str
    person: str
    expires_at: float


@cache
def key_set(url: str) -> jwt.PyJWKClient:
    return jwt.PyJWKClient(url, cache_keys=True, timeout=3)


def key_for(token: str) -> str | jwt.PyJWK:
    """The one key of the one algorithm that is allowed: a token cannot choose."""
    if settings.JWT_ALGORITHM in SYMMETRIC:
        return str(settings.JWT_SECRET)
    return key_set(settings.JWT_JWKS_URL).get_signing_key_from_jwt(token)


def holder_of(token: str) -> Holder:
    """Whom the token speaks for: its supplier is the `supplier` claim, or else `sub`.

    Raises:
        NotValid: forged, expired, for another audience, or without a supplier.
    """
    if not settings.JWT_SECRET and not settings.JWT_JWKS_URL:
        raise NotValid
    try:
        claims = jwt.decode(
            token,
            key_for(token),
            algorithms=[settings.JWT_ALGORITHM],
            audience=settings.JWT_AUDIENCE,
            issuer=settings.JWT_ISSUER,
            options={"require": ["exp", "aud"], "verify_sub": False},
        )
    except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
        raise NotValid from None
    supplier = claims.get("supplier", claims.get("sub"))
    if not isinstance(supplier, str) or not 0 < len(supplier) <= 128 or NOT_IN_AN_ID.search(supplier):
        raise NotValid
    return Holder(supplier, str(claims.get("sub", "")), float(claims["exp"]))
