"""Changes made on a page of the console carry the name of who made them."""

from collections.abc import Callable

import pghistory
from django.http import HttpRequest
from django.http.response import HttpResponseBase

Handler = Callable[[HttpRequest], HttpResponseBase]


def signed(get_response: Handler) -> Handler:
    """Middleware: what is written while a page of the console is posted is signed by its reader."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.method != "POST" or not request.path_info.startswith("/admin/") or not request.user.is_authenticated:
            return get_response(request)
        with pghistory.context(user=request.user.pk):
            return get_response(request)

    return middleware
