"""/playground/: one page for every place of the product, and what it asks of the development server."""

from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlsplit

from csp.decorators import csp_update
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from config.local import ahead, demo
from config.local.demo.sarah import ID as SARAH
from config.local.playground import credentials, passing, seen
from success import clock
from success.models import Supplier

View = Callable[[HttpRequest], HttpResponseBase]


def stream_too(view: View) -> View:
    """The page may listen to the stream server, which has an address of its own."""
    return csp_update({"connect-src": ["'self'", "{0.scheme}://{0.netloc}".format(urlsplit(settings.STREAM_URL))]})(view)


@require_safe
@never_cache
@stream_too
def page(request: HttpRequest) -> HttpResponse:
    """The product as it opens, for whoever is named by `as`, else for Sarah."""
    about = {
        "key": credentials.write_key(),
        "csrf": get_token(request),
        "home": reverse("playground:playground"),
        "supplier": request.GET.get("as") or SARAH,
        "stream": settings.STREAM_URL,
    }
    return render(request, "playground/page.html", {"about": about})


@require_POST
def token(request: HttpRequest) -> HttpResponse:
    """A token of hers, as the product's own server would give to her signed-in page."""
    return JsonResponse({"token": credentials.token(supplier_of(request.POST.get("supplier", "")).external_id)})


@require_safe
@never_cache
def people(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"results": seen.find(request.GET.get("q", "").replace("\0", "")[:100])})


@require_safe
@never_cache
def look(request: HttpRequest, supplier: str) -> HttpResponse:
    """Her account, and what the system sees."""
    found, at = supplier_of(supplier), clock.now()
    later = ahead.current()
    return JsonResponse({"now": at, "days_ahead": later.days, "account": seen.account(found), "system": seen.system(found, at=at)})


@require_POST
def later(request: HttpRequest) -> HttpResponse:
    """A day passes."""
    return done(passing.a_day_later)


@require_POST
def reset(request: HttpRequest) -> HttpResponse:
    """All is as at the start."""
    return done(passing.start_again)


def done(change: Callable[[], object]) -> HttpResponse:
    """What time it is after the change; 409 while the demo is being loaded."""
    try:
        change()
    except demo.NotHere:
        raise Http404 from None
    except demo.Busy as error:
        return JsonResponse({"detail": str(error)}, status=HTTPStatus.CONFLICT)
    return JsonResponse({"now": clock.now(), "days_ahead": ahead.current().days})


def supplier_of(name: str) -> Supplier:
    found = None if "\0" in name else seen.suppliers().filter(external_id=name).first()
    if found is None:
        raise Http404
    return found
