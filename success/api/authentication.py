"""Credentials: `Bearer cs_..` is an API key, any other bearer a token of the product's; Segment's routes also take the key by Basic."""

import base64
import binascii

from django.conf import settings
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import NotAuthenticated, Throttled
from rest_framework.request import Request

from success import clock, keys, limits, tokens
from success.api.callers import Caller, KeyCaller, ProductUser, address_of


class CallerAuthentication(BaseAuthentication):
    """Finds the caller. One answer for all causes of failure, and few tries a minute for one address."""

    def authenticate(self, request: Request) -> tuple[Caller, None] | None:
        scheme, _, credential = get_authorization_header(request).partition(b" ")
        if not scheme:
            return None
        caller = self.caller(scheme.lower(), credential.strip())
        if caller is None:
            self.count_failure(request)
            raise NotAuthenticated
        return caller, None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"

    def caller(self, scheme: bytes, credential: bytes) -> Caller | None:
        if scheme != b"bearer" or not credential.isascii():
            return None
        text = credential.decode("ascii")
        if text.startswith(keys.PREFIX):
            return self.key_caller(text)
        try:
            holder = tokens.holder_of(text)
        except tokens.NotValid:
            return None
        return ProductUser(holder.supplier, holder.person, holder.expires_at)

    def key_caller(self, key: str) -> KeyCaller | None:
        access = keys.verify(key, at=clock.real())
        return None if access is None else KeyCaller(access)

    def count_failure(self, request: Request) -> None:
        verdict = limits.hit(f"failed:{address_of(request, settings.NUM_PROXIES)}", *settings.RATE_LIMIT_FAILED_CREDENTIALS)
        if not verdict.allowed:
            raise Throttled(wait=verdict.retry_after)


class IngestAuthentication(CallerAuthentication):
    """Also the key as the user name of Basic credentials, as Segment's libraries send it."""

    def caller(self, scheme: bytes, credential: bytes) -> Caller | None:
        if scheme != b"basic":
            return super().caller(scheme, credential)
        try:
            key = base64.b64decode(credential, validate=True).partition(b":")[0].decode("ascii")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return self.key_caller(key)
