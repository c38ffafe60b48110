"""`/livez`, `/readyz` and `/metrics`: for load balancers, operators and their graphs. Outside the REST API: no caller, no limit, no schema."""

from hmac import compare_digest
from ipaddress import ip_address

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView

from success import clock, gauges, readiness


@never_cache
@require_safe
def livez(request: HttpRequest) -> HttpResponse:
    """This process answers."""
    return JsonResponse({"ok": True})


@never_cache
@require_safe
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
