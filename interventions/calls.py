"""SchedulingService, begun: the link in a letter that leads to the success manager's own booking page, and that it was followed."""

from datetime import datetime

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse

from interventions.events import BookingOpened
from interventions.models import Decision
from success import events
from success.models import Colleague, Event, Supplier

SALT = "booking"


class NoSuchLink(Exception):
    """This link is not one of ours, or its page is gone."""


def link(*, supplier: int, owner: int, message: str) -> str:
    """The signed address: whose call, whose page, from which message. Where it leads is looked up as it is followed."""
    return f"{settings.BASE_URL.rstrip('/')}{reverse('booking', args=[signing.dumps([supplier, owner, message], salt=SALT)])}"


def follow(token: str, *, at: datetime) -> str:
    """The booking page to go to; that the link was followed is a fact from now on, once for each message. Raises NoSuchLink."""
    url = page_of(token)
    supplier, _, message = read(token)
    if message:
        remember(supplier, message, at=at)
    return url


def page_of(token: str) -> str:
    """Where the link leads, if the colleague still has a page. Raises NoSuchLink."""
    url = Colleague.objects.filter(user=read(token)[1], user__is_active=True).values_list("booking_url", flat=True).first()
    if not url:
        raise NoSuchLink
    return str(url)


def read(token: str) -> tuple[int, int, str]:
    try:
        supplier, owner, message = signing.loads(token, salt=SALT)
    except (signing.BadSignature, ValueError):
        raise NoSuchLink from None
    return supplier, owner, message


@transaction.atomic
def remember(supplier: int, message: str, *, at: datetime) -> None:
    """Locked by the supplier's row, so that of two clicks at once one is told."""
    known = Supplier.objects.select_for_update(no_key=True).filter(pk=supplier).exists()
    told = Event.objects.filter(supplier=supplier, name=BookingOpened.name, payload__message=message).exists()
    if known and not told and Decision.objects.filter(message=message, supplier=supplier).exists():
        events.publish(BookingOpened(message), supplier=supplier, at=at)
