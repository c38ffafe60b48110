"""Times in the zone of whoever reads them."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from success.models import Colleague

Handler = Callable[[HttpRequest], HttpResponseBase]


def own_time_zone(get_response: Handler) -> Handler:
    """Middleware: pages of the console show times in the zone their reader chose."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith("/admin/") or not request.user.is_authenticated:
            return get_response(request)
        chosen = Colleague.objects.filter(user=request.user.pk).values_list("timezone", flat=True).first()
        with timezone.override(ZoneInfo(chosen) if chosen else None):
            return get_response(request)

    return middleware
