"""Our own people: what the console has to know of each beyond the sign-in."""

from zoneinfo import available_timezones

from django.conf import settings
from django.core.validators import URLValidator
from django.db import models

from success.models.history import remembered


def zones() -> list[tuple[str, str]]:
    """The time zones of the world, by region and city."""
    return [(name, name.replace("_", " ")) for name in sorted(available_timezones()) if name == "UTC" or ("/" in name and not name.startswith("Etc/"))]


def languages() -> list[tuple[str, str]]:
    """Those that the console knows the dates and numbers of."""
    return list(settings.LANGUAGES)


@remembered("timezone", "language", "own_book_only", "booking_url")
class Colleague(models.Model):
    """How one of us uses the console. Made with the account; without a row, the defaults hold."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="colleague")
    timezone = models.CharField(max_length=64, default="UTC", choices=zones, help_text="dates and times are shown in it")
    language = models.CharField(max_length=10, default="en-gb", db_default="en-gb", choices=languages, help_text="dates and numbers are written as in it")
    booking_url = models.URLField(
        blank=True,
        default="",
        db_default="",
        validators=[URLValidator(schemes=["https"])],
        help_text="where suppliers book a call: your page at Cal.com, Calendly or Google",
    )
    own_book_only = models.BooleanField(default=False, help_text="sees only the suppliers they own, on every page, list and export")

    class Meta:
        permissions = [("hand_over_colleague", "Can hand over the book of any colleague")]

    def __str__(self) -> str:
        return str(self.user)
