"""/mailbox/: the letters that were sent on this machine, the latest first, and each as its reader sees it."""

from csp.decorators import csp_replace
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from config.local.mailbox import letters
from config.local.mailbox.letters import Letter
from config.local.mailbox.reader import hers

SHOWN = 100
# A letter runs nothing and fetches nothing; its links open outside of the frame.
CLOSED = {
    "default-src": ["'none'"],
    "style-src": ["'unsafe-inline'"],
    "img-src": ["data:"],
    "frame-ancestors": ["'self'"],
    "sandbox": ["allow-popups", "allow-popups-to-escape-sandbox"],
}


@require_safe
@never_cache
def listing(request: HttpRequest) -> HttpResponse:
    found = [letter for name in letters.names()[:SHOWN] if (letter := letters.find(name))]
    return render(request, "mailbox/list.html", {"letters": found})


@require_safe
@never_cache
def letter(request: HttpRequest, name: str) -> HttpResponse:
    found = letter_of(name)
    return render(request, "mailbox/letter.html", {"letter": found, "text": hers(found.text, found), "headers": found.message.items()})


@require_safe
@never_cache
@xframe_options_sameorigin
@csp_replace(CLOSED)  # type: ignore[arg-type]  # its type knows of no arguments
def html(request: HttpRequest, name: str) -> HttpResponse:
    """The letter's own HTML, for the frame alone."""
    found = letter_of(name)
    return HttpResponse(f'<base target="_blank">{hers(found.html, found)}')


def letter_of(name: str) -> Letter:
    found = letters.find(name)
    if found is None:
        raise Http404
    return found
