"""Times, dates and numbers as whoever reads them is used to."""

from collections.abc import Callable
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone, translation

from success.models import Colleague


def start_of(day: date) -> datetime:
    """Midnight in the time zone of whoever asks."""
    return datetime.combine(day, time.min, timezone.get_current_timezone())


Handler = Callable[[HttpRequest], HttpResponseBase]


def own_zone_and_language(get_response: Handler) -> Handler:
    """Middleware: pages of the console are in the time zone and the language that their reader chose."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith("/admin/") or not request.user.is_authenticated:
            return get_response(request)
        chosen = Colleague.objects.filter(user=request.user.pk).only("timezone", "language").first() or Colleague()
        with timezone.override(ZoneInfo(chosen.timezone)), translation.override(chosen.language):
            return get_response(request)

    return middleware
