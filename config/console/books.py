"""Handing over a colleague's whole book: looked at first, then done in one step."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from unfold.widgets import UnfoldBooleanWidget

from config.console import listing
from config.console.actions import signed_in
from config.console.colleagues import colleague_of
from config.console.forms import Person
from config.console.pages import console, page
from success import books, clock
from success.colleagues import called

REFUSALS = (books.NotYours, books.CannotSee, books.NotWorking)


class BookForm(forms.Form):
    with_tasks = forms.BooleanField(required=False, initial=True, widget=UnfoldBooleanWidget, label="Their open tasks go along")

    def __init__(self, data: Any, *, whose: User) -> None:
        super().__init__(data, label_suffix="")
        self.fields["to"] = Person(books.takers(besides=whose), label="To", empty_label="Choose a colleague")
        self.order_fields(["to", "with_tasks"])


@console("success.hand_over_colleague", methods=("GET", "POST"))
def hand_over(request: HttpRequest, pk: int) -> HttpResponseBase:
    """What a colleague holds, and to whom it goes; sent, it has gone."""
    whose, at = colleague_of(pk), clock.now()
    if books.limited(request.user) and pk != request.user.pk:
        raise Http404
    form = BookForm(request.POST or None, whose=whose)
    if form.is_valid():
        try:
            moved, tasks = books.hand_over(whose=whose, **form.cleaned_data, by=signed_in(request), at=at)
        except REFUSALS as refusal:
            form.add_error(None, str(refusal.__doc__))
        else:
            to = form.cleaned_data["to"]
            messages.success(request, f"{called(whose)}'s book is now {called(to)}'s: {counted(moved, 'supplier')}, {counted(tasks, 'open task')}.")
            return HttpResponseRedirect(listing.link({"owner": to.get_username()}))
    about = {"person": whose, "name": called(whose), "book": books.book_of(whose, at=at), "form": form, "list": reverse(listing.LIST)}
    return page(request, "book", title=f"Hand over the book of {called(whose)}", **about)


def counted(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"
