"""Views of the list of suppliers: saved from the list, changed, and deleted, each in a dialog."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from config.console import listing
from config.console.actions import signed_in
from config.console.pages import console, onwards, page
from success import clock, history, saved_views
from success.models import SavedView


class ViewForm(forms.Form):
    name = forms.CharField(max_length=40, widget=UnfoldAdminTextInputWidget, label="Name")
    shared = forms.BooleanField(required=False, widget=UnfoldBooleanWidget, label="Share with colleagues")
    opens_first = forms.BooleanField(required=False, widget=UnfoldBooleanWidget, label="Begin with it when I open Suppliers")


@console("success.add_savedview", methods=("GET", "POST"))
def save(request: HttpRequest) -> HttpResponseBase:
    """The list as its address says it goes by a name from now on."""
    query, form = listing.asked(request), ViewForm(request.POST or None, auto_id="view-%s", label_suffix="")
    form.fields["name"].help_text = "A view of yours that has this name already is replaced."
    if form.is_valid():
        view = saved_views.save(**form.cleaned_data, query=listing.stored(query), by=signed_in(request), at=clock.now())
        messages.success(request, f"“{view.name}” stands above the list{', for your colleagues too' if view.shared else ''}.")
        return onwards(request, listing.link(query))
    return dialog(request, form, title="Save this view")


@console("success.change_savedview", methods=("GET", "POST"))
def change(request: HttpRequest, pk: int) -> HttpResponseBase:
    """A view's name, and who finds it."""
    view = view_of(request, pk)
    form = ViewForm(request.POST or None, initial=vars(view), auto_id="view-%s", label_suffix="")
    if view.owner_id != request.user.pk:
        del form.fields["opens_first"]
    if form.is_valid():
        try:
            saved_views.change(view, **{"opens_first": False, **form.cleaned_data}, by=signed_in(request))
        except saved_views.NameTaken as refusal:
            form.add_error("name", str(refusal.__doc__))
        else:
            messages.success(request, "Saved.")
            return onwards(request, listing.link(listing.restored(view.query)))
    return dialog(request, form, title=f"Change “{view.name}”", view=view, changes=history.changes(SavedView, [view.pk], before=clock.now(), most=5))


@console("success.delete_savedview", methods=("POST",))
def delete(request: HttpRequest, pk: int) -> HttpResponseBase:
    """A view is gone; the suppliers in it are as they were."""
    view = view_of(request, pk)
    saved_views.delete(view, by=signed_in(request))
    messages.success(request, f"“{view.name}” is deleted. The suppliers in it stay.")
    return onwards(request, listing.link(listing.restored(view.query)))


def view_of(request: HttpRequest, pk: int) -> SavedView:
    """A view that this person may change; else there is none."""
    view: SavedView = get_object_or_404(saved_views.open_to(signed_in(request)), pk=pk)
    if not saved_views.may_change(view, signed_in(request)):
        raise Http404
    return view


def dialog(request: HttpRequest, form: forms.Form, **about: Any) -> HttpResponseBase:
    return page(request, "view_form" if "fragment" in request.GET else "view", form=form, query=request.GET.urlencode(), **about)
