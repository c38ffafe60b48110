"""What all pages of the console share: who may open them, and the frame they stand in."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods

from success import books
from success.models import Supplier

View = Callable[..., HttpResponseBase]
QUICK = (("note", "edit_note", "Note"), ("contacted", "call", "Contacted"), ("task", "add_task", "Task"), ("snooze", "snooze", "Snooze"))


def console(permission: str = "", *, methods: tuple[str, ...] = ("GET",)) -> Callable[[View], View]:
    """A page for our own people who are signed in and have the permission, if one is named."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if permission and not request.user.has_perm(permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        only = require_http_methods([*methods, *(["HEAD"] if "GET" in methods else [])])
        framed: View = admin.site.admin_view(only(guarded))
        framed.permission = permission  # type: ignore[attr-defined]  # for whoever asks who may open it
        return framed

    return decorate


def page(request: HttpRequest, template: str, *, title: str, **context: Any) -> TemplateResponse:
    """A page within the frame of the admin."""
    return TemplateResponse(request, f"console/{template}.html", {**admin.site.each_context(request), "title": title, "quick_actions": QUICK, **context})


def back(request: HttpRequest, otherwise: str, *, name: str = "next") -> str:
    """Where this was asked from, if that is a page of ours."""
    wanted = request.POST.get(name, request.GET.get(name, ""))
    safe = url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return wanted if safe else otherwise


def onwards(request: HttpRequest, url: str) -> HttpResponse:
    """What was asked for is done. A dialog is told where to go on; its form has no page to be sent away from."""
    return HttpResponse(status=204, headers={"Location": url}) if "fragment" in request.GET else HttpResponseRedirect(url)


def supplier_of(request: HttpRequest, pk: int) -> Supplier:
    """The supplier, if this person may see it; else there is none."""
    everybody = Supplier.objects.select_related("owner", "facts", "preferences").prefetch_related("contacts")
    found: Supplier = get_object_or_404(books.visible(everybody, request.user), pk=pk)
    return found
