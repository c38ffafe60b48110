"""Due rows that wait, tried again or dropped for a reason, by those who may change rows of the kind."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from unfold.widgets import UnfoldAdminTextInputWidget

from config.console.actions import signed_in
from config.console.pages import back, console, onwards, page
from success import books, clock, due
from success.admin.due import AT_ONCE, said


class ReasonForm(forms.Form):
    reason = forms.CharField(max_length=200, widget=UnfoldAdminTextInputWidget, label="Why", help_text="It stands beside the row for whoever asks later.")


@console("success.change_jobrun", methods=("POST",))
def again(request: HttpRequest, model: str) -> HttpResponseBase:
    """The rows are due now."""
    rows = rows_of(request, model)
    said(request, due.all_again(rows, at=clock.now()), "due now: a worker takes {them} within seconds.")
    return HttpResponseRedirect(back(request, list_of(rows)))


@console("success.change_jobrun", methods=("GET", "POST"))
def drop(request: HttpRequest, model: str) -> HttpResponseBase:
    """The rows are not done, and why. With `fragment` only the form, for the dialog."""
    rows = rows_of(request, model)
    form, n, opts, onward = ReasonForm(request.POST or None, auto_id="drop-%s", label_suffix=""), rows.count(), rows.model._meta, back(request, list_of(rows))
    if not n or form.is_valid():
        dropped = due.drop_all(rows, reason=form.cleaned_data["reason"], by=signed_in(request), at=clock.now()) if n else 0
        said(request, dropped, "dropped: not done, and the reason is kept.")
        return onwards(request, onward)
    title = f"Drop {n:,} {opts.verbose_name_plural}" if n > 1 else f"Drop this {opts.verbose_name}"
    template = "due_drop_form" if "fragment" in request.GET else "due_drop"
    return page(request, template, title=title, form=form, model=model, rows=rows, next=onward)


def rows_of(request: HttpRequest, label: str) -> QuerySet[Any]:
    """The rows asked for, as far as this person may see them; the kind is one whose rows they may change."""
    model = next((kind.model for kind in due.registered().values() if kind.model._meta.label_lower == label), None)
    if model is None:
        raise Http404
    if not request.user.has_perm(f"{model._meta.app_label}.change_{model._meta.model_name}"):
        raise PermissionDenied
    asked = request.POST.getlist("rows") or request.GET.getlist("rows")
    keys = [key for key in asked[:AT_ONCE] if key.isdecimal() and len(key) < 19]
    found: QuerySet[Any] = books.visible(model._default_manager.filter(pk__in=keys), request.user, path="supplier__")
    return found


def list_of(rows: QuerySet[Any]) -> str:
    return reverse(f"admin:{rows.model._meta.app_label}_{rows.model._meta.model_name}_changelist")
