"""Colleagues: the list, an invitation, one colleague's page, and who is locked out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from config.console.actions import signed_in
from config.console.pages import console, page
from success import books, clock, colleagues, history, lockouts, roles, second_factor
from success.admin.base import ReadOnlyAdmin
from success.colleagues import called
from success.models import Colleague

for model in (User, Group, TOTPDevice, StaticDevice):  # the last two would show secrets
    admin.site.unregister(model)


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    """For the search of other pages. Colleagues have pages of their own, and nobody is deleted: what they did stays theirs."""

    search_fields = ["username", "first_name", "last_name", "email"]
    ordering = ["username"]
    fields = ["username", "first_name", "last_name", "email", "is_active", "last_login"]

    def changes_of(self, found: User) -> list[history.Change]:
        """Of the sign-in, of how they use the console, and what administrators did."""
        done = [history.Change(one.action_time, one.change_message, one.user) for one in colleagues.history(found)[: history.MOST]]
        return sorted(
            [*super().changes_of(found), *history.changes(Colleague, [found.pk], before=clock.now()), *done], key=lambda change: change.at, reverse=True
        )

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponseBase:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return HttpResponseRedirect(reverse("console:colleagues"))


@console("auth.view_user")
def everybody(request: HttpRequest) -> HttpResponseBase:
    """All colleagues with their roles and how they sign in, those who are let go last."""
    protected = Exists(TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True))
    people = User.objects.filter(is_staff=True).prefetch_related("groups").select_related("colleague").annotate(protected=protected)
    lines = [(person, colleagues.role_of(person), standing_of(person)) for person in people.order_by("-is_active", "first_name", "username")]
    return page(request, "colleagues", title="Colleagues", lines=lines)


def standing_of(user: User) -> str:
    if not user.is_active:
        return "deactivated"
    return "active" if user.has_usable_password() else "invited, no password yet"


# ---------------------------------------------------------------- forms


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=[(role, role) for role in roles.ROLES], widget=UnfoldAdminSelectWidget)
    own_book_only = forms.BooleanField(required=False, widget=UnfoldBooleanWidget, label="Sees only the suppliers they own")


class InvitationForm(RoleForm):
    address = forms.EmailField(max_length=150, widget=UnfoldAdminEmailInputWidget, label="Mail address", help_text="They sign in with it.")
    first_name = forms.CharField(max_length=150, widget=UnfoldAdminTextInputWidget)
    last_name = forms.CharField(max_length=150, required=False, widget=UnfoldAdminTextInputWidget)
    field_order = ["address", "first_name", "last_name", "role", "own_book_only"]


# ---------------------------------------------------------------- inviting


@console("auth.add_user", methods=("GET", "POST"))
def invite(request: HttpRequest) -> HttpResponseBase:
    """Somebody becomes a colleague and gets a mail with the way in."""
    form = InvitationForm(request.POST or None)
    if form.is_valid():
        try:
            user = colleagues.invite(**form.cleaned_data, by=signed_in(request), at=clock.now())
        except colleagues.AddressTaken as refusal:
            form.add_error("address", str(refusal))
        else:
            said(request, lambda: send_link(user, signed_in(request)), f"{called(user)} is invited.")
            return HttpResponseRedirect(reverse("console:colleague", args=[user.pk]))
    return page(request, "invite", title="Invite a colleague", form=form)


def said(request: HttpRequest, run: Callable[[], object], done: str) -> None:
    """It is done, or the page says why not."""
    try:
        run()
        messages.success(request, done)
    except colleagues.Refused as refusal:
        messages.error(request, str(refusal))


def send_link(user: User, by: User) -> None:
    colleagues.send_link(user=user, by=by, at=clock.now())


# ---------------------------------------------------------------- one colleague


@dataclass(frozen=True, slots=True)
class Action:
    """What an administrator does about a colleague by one button, and what is said when it is done."""

    run: Callable[..., None]
    done: str


ACTIONS: Mapping[str, Action] = {
    "invite": Action(colleagues.send_link, "The link is on its way."),
    "deactivate": Action(colleagues.deactivate, "Deactivated, and signed out everywhere."),
    "reactivate": Action(colleagues.reactivate, "They can sign in again."),
    "reset": Action(second_factor.reset, "The second factor is off. They can set up a new one once they have signed in."),
}


def colleague_of(pk: int) -> User:
    return get_object_or_404(User.objects.prefetch_related("groups"), pk=pk, is_staff=True)


@console("auth.change_user", methods=("GET", "POST"))
def colleague(request: HttpRequest, pk: int) -> HttpResponseBase:
    """A colleague's role and book, how they sign in, and what was done about them."""
    user, at = colleague_of(pk), clock.now()
    own_book_only = Colleague.objects.filter(user=user.pk, own_book_only=True).exists()
    form = RoleForm(request.POST or None, initial={"role": colleagues.role_of(user), "own_book_only": own_book_only})
    if form.is_valid():
        said(request, lambda: colleagues.set_role(user=user, **form.cleaned_data, by=signed_in(request), at=at), "Saved.")
        return HttpResponseRedirect(reverse("console:colleague", args=[pk]))
    about = {
        "standing": standing_of(user),
        "has_one": second_factor.has_one(user),
        "history": colleagues.history(user)[:20],
        "book": books.book_of(user, at=at),
    }
    return page(request, "colleague", title=called(user), person=user, form=form, **about)


@console("auth.change_user", methods=("POST",))
def act(request: HttpRequest, pk: int, name: str) -> HttpResponseBase:
    """One of the buttons of a colleague's page."""
    if name not in ACTIONS:
        raise Http404
    user, action = colleague_of(pk), ACTIONS[name]
    said(request, lambda: action.run(user=user, by=signed_in(request), at=clock.now()), action.done)
    return HttpResponseRedirect(reverse("console:book" if name == "deactivate" and left_behind(user) else "console:colleague", args=[pk]))


def left_behind(user: User) -> bool:
    """Whether somebody who was let go still holds suppliers or tasks."""
    gone = User.objects.filter(pk=user.pk, is_active=False).exists()
    return gone and not books.book_of(user, at=clock.now()).empty


# ---------------------------------------------------------------- locked out


@console("auth.change_user", methods=("GET", "POST"))
def locked_out(request: HttpRequest) -> HttpResponseBase:
    """Names that nobody gets in with for a while, and letting one be tried again at once."""
    if request.method == "POST":
        name, address = request.POST.get("name", ""), request.POST.get("address", "")
        lifted = lockouts.lift(name=name, address=address, by=signed_in(request), at=clock.now())
        messages.success(request, "They can try again at once." if lifted else "That lockout had ended already.")
        return HttpResponseRedirect(reverse("console:locked_out"))
    return page(request, "locked_out", title="Locked out", lockouts=lockouts.active(at=clock.real()))
