"""Keys and days as words."""

from datetime import date, datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import get_language

from config.console.bars import Part
from success import clock
from success.models import Supplier

register = template.Library()
WORDS = {"at_end": "ends soon", "active": "under way", "login_recency": "sign-in", "client_activity": "clients active", "form_completion": "forms completed",
         "journey_performance": "journey steps completed", "feature_adoption": "features used"}  # fmt: skip

DAYS = {"en-gb": ("j M", "j M Y"), "en-us": ("M j", "M j, Y"), "de": ("j. M", "j. M Y")}  # short, of this year and of others
OTHER_DAYS = ("j b", "j b Y")  # in other languages months are no names


@register.filter
def words(key: str | None) -> str:
    """`at_risk` -> at risk."""
    return WORDS.get(key or "", (key or "").replace("_", " "))


@register.filter
def person(supplier: Supplier) -> str:
    """What a supplier goes by: the name of the person to speak to, else the product's id."""
    people = sorted(supplier.contacts.all(), key=lambda one: not one.is_primary)
    return (people[0].name if people else "") or supplier.external_id


@register.filter
def told(value: object) -> str:
    """A value of some field as people read it."""
    if isinstance(value, datetime):
        return moment(value)
    return "none" if value is None else {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)


@register.filter
def day(at: datetime | date | None) -> str:
    """`24 Nov`, in the reader's time zone and language; with the year where it is another."""
    if at is None:
        return ""
    local = timezone.localtime(at).date() if isinstance(at, datetime) else at
    return date_format(local, DAYS.get(get_language() or "", OTHER_DAYS)[local.year != timezone.localdate().year])


@register.filter
def moment(at: datetime | None) -> str:
    """`24 Nov, 16:05`, in the reader's time zone and language."""
    return f"{day(at)}, {timezone.localtime(at):%H:%M}" if at else ""


@register.filter
def precisely(at: datetime | None) -> str:
    """`15:08:27` of today, `24 Nov, 15:08` of another day, in the reader's time zone."""
    if at is None:
        return ""
    local = timezone.localtime(at)
    return date_format(local, "H:i:s") if local.date() == timezone.localdate() else f"{day(at)}, {date_format(local, 'H:i')}"


@register.filter
def age(at: datetime) -> str:
    """`2 hours, 5 minutes`: how long ago."""
    now = clock.now()
    return "less than a minute" if now - at < timedelta(minutes=1) else timesince(at, now)


@register.filter
def money(value: float) -> str:
    """`1,234` or `19.50`: with hundredths where there are some."""
    return amount(value, 0 if value == round(value) else 2)


@register.filter
def number(part: Part) -> SafeString | str:
    """How many, leading to the list of them where there is one. No template of its own: a page has hundreds."""
    return format_html('<a href="{}">{}</a>', part.url, amount(part.n)) if part.n else "0"


def amount(value: float | None, places: int = 0) -> str:
    """`1,234`, as the reader's language groups digits."""
    return "" if value is None else number_format(value, places, use_l10n=True, force_grouping=True)
