"""Links that are their own proof: whoever has one may do what it says, for the supplier it was written to."""

from django.conf import settings
from django.core import signing
from django.urls import reverse

UNSUBSCRIBE, PREFERENCES = "success.unsubscribe", "success.preferences"


def unsubscribe(supplier: int) -> str:
    return address("unsubscribe", supplier, UNSUBSCRIBE)


def preferences(supplier: int) -> str:
    return address("preferences-page", supplier, PREFERENCES)


def address(route: str, supplier: int, salt: str) -> str:
    return str(settings.BASE_URL).rstrip("/") + reverse(route, args=[signing.Signer(salt=salt).sign(str(supplier))])


def supplier_of(token: str, *, salt: str) -> int | None:
    """Whom a link was written to; None for one that we did not write. Old letters' links stay good."""
    try:
        return int(signing.Signer(salt=salt).unsign(token))
    except (signing.BadSignature, ValueError):
        return None
