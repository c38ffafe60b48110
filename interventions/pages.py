"""The public page behind the link to book a call."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from interventions import calls
from success import clock


@never_cache
@require_safe
def book(request: HttpRequest, token: str) -> HttpResponseBase:
    """Leads on to the success manager's booking page. A HEAD request, as scanners send, only looks."""
    try:
        if request.method == "HEAD":
            return HttpResponse()
        answer = HttpResponseRedirect(calls.follow(token, at=clock.now()))
    except calls.NoSuchLink:
        return render(request, "interventions/no_such_link.html", status=404)
    answer["Referrer-Policy"] = "no-referrer"
    return answer
