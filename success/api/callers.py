"""Who calls: a key of the product's servers, or one of its users."""

from dataclasses import dataclass
from hashlib import sha256
from typing import cast

from django.http import HttpRequest
from rest_framework.request import Request

from success import limits
from success.keys import Access
from success.models.sources import Scope


@dataclass(frozen=True, slots=True)
class KeyCaller:
    """An API key, with what it may do."""

    access: Access
    is_authenticated = True

    @property
    def bucket(self) -> str:
        return f"key:{self.access.key_id}"

    def may(self, scope: str) -> bool:
        return scope in self.access.scopes or (scope == "own" and Scope.WRITE in self.access.scopes)


@dataclass(frozen=True, slots=True)
class ProductUser:
    """A user of the product, for its own supplier, until the token ends (in seconds since 1970)."""

    supplier: str
    person: str = ""
    expires_at: float = 0.0
    is_authenticated = True

    @property
    def bucket(self) -> str:
        return f"user:{sha256(self.supplier.encode()).hexdigest()[:32]}"  # an id may be an address: it is not for Redis

    def may(self, scope: str) -> bool:
        return scope == "own"


Caller = KeyCaller | ProductUser


def caller_of(request: Request) -> Caller | None:
    """Who calls; None without credentials."""
    return cast("Caller | None", request.user)


def key_of(request: Request) -> Access:
    """The key behind a request that only keys may make."""
    caller = caller_of(request)
    assert isinstance(caller, KeyCaller)  # noqa: S101  (the view's scopes let nobody else in)
    return caller.access


def address_of(request: Request | HttpRequest, proxies: int) -> str:
    """The address of the client, as `limits.address_of` has it."""
    return limits.address_of(request.META.get("HTTP_X_FORWARDED_FOR", ""), str(request.META.get("REMOTE_ADDR", "")), proxies)
