"""What the database cannot hold is refused before any page of the console reads it."""

from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase

Handler = Callable[[HttpRequest], HttpResponseBase]


def without_nul(get_response: Handler) -> Handler:
    """Middleware: a NUL in an address or a form is a bad request."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.path_info.startswith("/admin/") and (holds_nul(request.GET) or (request.content_type == FORM and holds_nul(request.POST))):
            raise BadRequest("A NUL character stands in what was sent.")
        return get_response(request)

    return middleware


FORM = "application/x-www-form-urlencoded"


def holds_nul(sent: QueryDict) -> bool:
    return any("\0" in text for name, values in sent.lists() for text in (name, *values))
