"""`/livez`, `/readyz` and `/metrics`: for load balancers, operators and their graphs. Outside the REST API: no caller, no schema."""

from collections.abc import Callable
from functools import wraps
from hmac import compare_digest
from ipaddress import ip_address
from math import ceil

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView

from success import clock, gauges, limits, readiness
from success.api.callers import address_of

View = Callable[[HttpRequest], HttpResponse]


def limited(view: View) -> View:
    """Of each address as many requests as of any without credentials; operators ask as often as they like."""

    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        if is_operator(request):
            return view(request)
        verdict = limits.hit(f"probe:{address_of(request, settings.NUM_PROXIES)}", *settings.RATE_LIMIT_ANONYMOUS)
        if verdict.allowed:
            return view(request)
        return JsonResponse({"ok": False, "detail": "Too many requests."}, status=429, headers={"Retry-After": str(ceil(verdict.retry_after))})

    return guarded


@never_cache
@require_safe
@limited
def livez(request: HttpRequest) -> HttpResponse:
    """This process answers."""
    return JsonResponse({"ok": True})


@never_cache
@require_safe
@limited
def readyz(request: HttpRequest) -> HttpResponse:
    """Every part is fit for use, or 503 and which is not."""
    told = readiness.answer(readiness.look(at=clock.now()), details=is_operator(request))
    response = JsonResponse(told, status=200 if told["ok"] else 503)
    response._has_been_logged = True  # type: ignore[attr-defined]  # not ready is an answer, not an error
    return response


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The process's metrics and those of the whole, for operators; nobody else learns that there are any."""
    if not is_operator(request):
        raise Http404
    response: HttpResponse = ExportToDjangoView(request)
    response.content += gauges.export(at=clock.now())
    return response


def is_operator(request: HttpRequest) -> bool:
    """Whether a request brings the scraper's token, or comes from this machine itself and through no proxy."""
    token = settings.METRICS_TOKEN
    if token and compare_digest(request.headers.get("Authorization", "").encode(), f"Bearer {token}".encode()):
        return True
    return "X-Forwarded-For" not in request.headers and "Forwarded" not in request.headers and is_loopback(request.META.get("REMOTE_ADDR", ""))


def is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
