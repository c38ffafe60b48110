"""Stopping and resuming all sending, and what the first page says about it."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from unfold.widgets import UnfoldAdminTextInputWidget

from config.console.actions import signed_in
from config.console.pages import console, onwards, page
from success import books, clock
from success.notifications import gates, switch


class StopForm(forms.Form):
    reason = forms.CharField(max_length=200, widget=UnfoldAdminTextInputWidget, label="Why", help_text="Everybody reads it on the first page.")


def standing(request: HttpRequest, *, at: datetime) -> dict[str, Any]:
    """What the first page says: that all sending is stopped, or what keeps letters to suppliers back."""
    stop = switch.current()
    return {
        "stop": stop,
        "waiting": switch.waiting(at=at) if stop and not books.limited(request.user) else None,
        "missing": gates.missing_settings() if request.user.has_perm("success.stop_send") else [],
    }


@console("success.stop_send", methods=("GET", "POST"))
def stop(request: HttpRequest) -> HttpResponseBase:
    """The form that asks why; sent, nothing goes out any more."""
    form = StopForm(request.POST or None, auto_id="stop-%s", label_suffix="")
    if form.is_valid():
        switch.stop(reason=form.cleaned_data["reason"], by=signed_in(request), at=clock.now())
        messages.warning(request, "All sending is stopped. Nothing is lost: it goes out when you resume.")
        return onwards(request, reverse("console:today"))
    return page(request, "stop_form" if "fragment" in request.GET else "stop", title="Stop all sending", form=form)


@console("success.stop_send", methods=("POST",))
def resume(request: HttpRequest) -> HttpResponseBase:
    """What waited goes out."""
    with transaction.atomic():
        resumed = switch.resume(by=signed_in(request), at=clock.now())
    messages.success(request, "Sending again. What waited goes out now." if resumed else "It was not stopped.")
    return HttpResponseRedirect(reverse("console:today"))
