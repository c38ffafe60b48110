"""Signing in after the password: the code of the second factor. And without one yet: the link of an invitation."""

from collections.abc import Callable
from typing import Any, cast

import django_otp
from django import forms
from django.contrib import admin
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.models import User
from django.contrib.auth.views import PasswordResetConfirmView
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse, reverse_lazy
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods
from unfold.widgets import BASE_INPUT_CLASSES

from config.console.pages import back, console, page
from success import colleagues, second_factor

Handler = Callable[[HttpRequest], HttpResponseBase]
# ---------------------------------------------------------------- the second factor


class CodeForm(forms.Form):
    code = forms.CharField(
        max_length=40,
        label="Code from your app, or a recovery code",
        widget=forms.TextInput(attrs={"autofocus": "", "autocomplete": "one-time-code", "class": " ".join(BASE_INPUT_CLASSES)}),
    )


def second_factor_first(get_response: Handler) -> Handler:
    """Middleware: who has a second factor shows it, who must have one sets it up, before anything else in the console."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        step = step_before(request) if request.path_info.startswith("/admin/") else ""
        if not step or request.path in (step, reverse("admin:logout")) or request.path_info.startswith("/admin/welcome/"):
            return get_response(request)
        asked = {"next": request.get_full_path()} if request.method == "GET" else {}
        return HttpResponseRedirect(f"{step}?{urlencode(asked)}" if asked else step)

    return middleware


def step_before(request: HttpRequest) -> str:
    """The page that this person has to pass first; "" where there is none."""
    if not request.user.is_authenticated or request.user.is_verified():  # type: ignore[attr-defined]  # the library's middleware adds it
        return ""
    user = request.user
    if second_factor.has_one(user):
        return reverse("console:code")
    return reverse("console:enrol") if second_factor.is_required(user) else ""


@console(methods=("GET", "POST"))
def code(request: HttpRequest) -> HttpResponseBase:
    """The second step: the code, and then on to where one was going."""
    home, form = reverse("admin:index"), CodeForm(request.POST or None)
    if not step_before(request):
        return HttpResponseRedirect(back(request, home))
    if form.is_valid():
        try:
            device = second_factor.verify(user=cast(User, request.user), code=form.cleaned_data["code"])
            django_otp.login(request, device)
            return HttpResponseRedirect(back(request, home))
        except colleagues.Refused as refusal:
            form.add_error("code", str(refusal))
    return page(request, "code", title="Your code", form=form, next=back(request, ""))


# ---------------------------------------------------------------- the link of an invitation


class PasswordForm(SetPasswordForm):  # type: ignore[type-arg]  # not generic when it runs
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label in (("new_password1", "Password"), ("new_password2", "Once more")):
            self.fields[name].label = label
            self.fields[name].widget.attrs["class"] = " ".join(BASE_INPUT_CLASSES)


class Welcome(PasswordResetConfirmView):
    """Who has the link chooses a password and is signed in; the link is used up by that."""

    form_class = PasswordForm
    template_name = "console/welcome.html"
    success_url = reverse_lazy("admin:index")
    post_reset_login = True
    post_reset_login_backend = "django.contrib.auth.backends.ModelBackend"
    title = "Choose a password"

    def get_user(self, uidb64: str) -> User | None:
        """Nobody who was let go meanwhile."""
        user = super().get_user(uidb64)
        return user if user and user.is_active else None

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        return {**admin.site.each_context(self.request), **super().get_context_data(**context), "chooser": self.user}


welcome = require_http_methods(["GET", "HEAD", "POST"])(Welcome.as_view())
