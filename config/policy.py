"""The content security policy under the admin alone: its interface (Alpine) compiles expressions in the page."""

from collections.abc import Callable

from csp.decorators import csp_update
from django.http import HttpRequest
from django.http.response import HttpResponseBase

RELAXED = {"script-src": ["'self'", "'unsafe-eval'", "'unsafe-inline'"], "style-src": ["'self'", "'unsafe-inline'"]}
Handler = Callable[[HttpRequest], HttpResponseBase]


def console_policy(get_response: Handler) -> Handler:
    """Middleware: the relaxed policy for the console, the strict one for everything else."""
    relaxed = csp_update(RELAXED)(get_response)

    def middleware(request: HttpRequest) -> HttpResponseBase:
        handler: Handler = relaxed if request.path.startswith("/admin/") else get_response
        return handler(request)

    return middleware
