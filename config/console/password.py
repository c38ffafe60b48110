"""The first step of signing in: a name and a password, slowed down for who guesses."""

import hashlib
import hmac
from ipaddress import ip_address
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from unfold.forms import AuthenticationForm

from success.api.callers import address_of

LOCKED_OUT = "Too many wrong passwords. Wait {minutes} minutes and try again, or ask an administrator: under Colleagues they can let you try at once."


class SignInForm(AuthenticationForm):  # type: ignore[misc]  # untyped
    """The form of the first step, which says so when it is too early to try again."""

    def get_invalid_login_error(self) -> forms.ValidationError:
        if getattr(self.request, "axes_locked_out", False):
            return forms.ValidationError(LOCKED_OUT.format(minutes=settings.AXES_COOLOFF_TIME.seconds // 60))
        return cast(forms.ValidationError, super().get_invalid_login_error())


def locked_out(request: HttpRequest, response: HttpResponse, credentials: Any) -> HttpResponse:
    """The form has said why; programs see it by the status."""
    response.status_code = 429
    response.headers["Retry-After"] = str(settings.AXES_COOLOFF_TIME.seconds)
    return response


def client_address(request: HttpRequest) -> str | None:
    """The same address that the limits of the API go by."""
    try:
        return str(ip_address(address_of(request, settings.NUM_PROXIES)))
    except ValueError:
        return None


def known_name(request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """The name that failures are kept under. Of one that nobody has only a keyed hash: it may be a password in the wrong field."""
    name = str((credentials or {}).get("username") or request.POST.get("username", ""))
    if "\0" not in name and User.objects.filter(username=name).exists():
        return name
    return f"unknown-{hmac.digest(settings.SECRET_KEY.encode(), name.encode(errors='replace'), hashlib.sha256).hex()[:16]}"
