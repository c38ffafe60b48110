"""Our own people: what the console has to know of each beyond the sign-in."""

from django.conf import settings
from django.db import models


class Colleague(models.Model):
    """How one of us uses the console. Made with the account; without a row, the defaults hold."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="colleague")
    timezone = models.CharField(max_length=64, default="UTC", help_text="dates and times are shown in it")
    language = models.CharField(max_length=35, default="en")
    own_book_only = models.BooleanField(default=False, help_text="sees only the suppliers they own, on every page, list and export")

    def __str__(self) -> str:
        return str(self.user)
