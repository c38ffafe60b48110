"""My settings: name, time zone, language, and the second factor."""

from io import BytesIO
from typing import cast

import django_otp
import qrcode
import qrcode.image.svg
from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.core import signing
from django.core.validators import URLValidator
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from config.console.pages import back, console, page
from config.console.signing_in import CodeForm
from success import colleagues, second_factor
from success.models import Colleague
from success.models.staff import languages, zones

SALT, GOOD_FOR = "a second factor being set up", 3600  # seconds


class SettingsForm(forms.Form):
    first_name = forms.CharField(max_length=150, widget=UnfoldAdminTextInputWidget)
    last_name = forms.CharField(max_length=150, required=False, widget=UnfoldAdminTextInputWidget)
    timezone = forms.ChoiceField(choices=zones, widget=UnfoldAdminSelectWidget, label="Time zone", help_text="All dates and times are shown in it.")
    language = forms.ChoiceField(
        choices=languages,
        widget=UnfoldAdminSelectWidget,
        help_text="Dates, numbers and the buttons of lists and forms. The console's own words are English so far.",
    )
    booking_url = forms.URLField(
        required=False,
        max_length=200,
        assume_scheme="https",
        validators=[URLValidator(schemes=["https"])],
        widget=UnfoldAdminTextInputWidget,
        label="Booking page",
        help_text="Where suppliers book a call with you: your page at Cal.com, Calendly or Google. Without one, letters do not offer a call.",
    )


def mine(request: HttpRequest) -> User:
    return cast(User, request.user)


@console(methods=("GET", "POST"))
def me(request: HttpRequest) -> HttpResponseBase:
    """My name, time zone and language, and how I sign in."""
    user, form = mine(request), SettingsForm(request.POST or None, initial=initial_of(request))
    if form.is_valid():
        colleagues.save_settings(user=user, **form.cleaned_data)
        messages.success(request, "Saved.")
        return HttpResponseRedirect(reverse("console:me"))
    return settings_page(request, form=form, remove=CodeForm())


def initial_of(request: HttpRequest) -> dict[str, str]:
    user = mine(request)
    chosen = Colleague.objects.filter(user=user.pk).first() or Colleague()
    return {
        "first_name": user.first_name,
        "last_name": user.last_name,
        "timezone": chosen.timezone,
        "language": chosen.language,
        "booking_url": chosen.booking_url,
    }


def settings_page(request: HttpRequest, *, form: forms.Form, remove: forms.Form) -> HttpResponseBase:
    user = mine(request)
    about = {"has_one": second_factor.has_one(user), "codes_left": second_factor.codes_left(user), "required": second_factor.is_required(user)}
    return page(request, "me", title="My settings", form=form, remove=remove, **about)


@console(methods=("GET", "POST"))
def enrol(request: HttpRequest) -> HttpResponseBase:
    """An app is set up by QR code and shows that it was by a code; then the recovery codes are shown, this once."""
    user, form = mine(request), CodeForm(request.POST or None)
    if second_factor.has_one(user):
        return HttpResponseRedirect(reverse("console:me"))
    key = secret_in(request.POST.get("key", ""), user) or second_factor.new_key()
    if form.is_valid():
        try:
            device, codes = second_factor.enrol(user=user, key=key, code=form.cleaned_data["code"])
            django_otp.login(request, device)
            return page(request, "recovery", title="Recovery codes", codes=codes, next=back(request, reverse("console:me")))
        except colleagues.Refused as refusal:
            form.add_error("code", str(refusal))
    shown = {
        "picture": picture(second_factor.address_of(user, key)),
        "letters": second_factor.in_letters(key),
        "signed": signing.dumps([user.pk, key], salt=SALT),
    }
    return page(request, "enrol", title="Second factor", form=form, next=back(request, ""), required=second_factor.is_required(user), **shown)


def secret_in(signed: str, user: User) -> str:
    """The secret that the page before showed to this person; "" where that is not what was sent."""
    try:
        owner, key = signing.loads(signed, salt=SALT, max_age=GOOD_FOR)
    except signing.BadSignature:
        return ""
    return key if owner == user.pk else ""


def picture(text: str) -> SafeString:
    """A QR code as SVG: a path of numbers, without any of the text's own letters."""
    out = BytesIO()
    qrcode.make(text, image_factory=qrcode.image.svg.SvgPathImage, box_size=8, border=2).save(out)
    return mark_safe(out.getvalue().decode().partition("?>")[2])  # noqa: S308


@console(methods=("POST",))
def remove(request: HttpRequest) -> HttpResponseBase:
    """The second factor is gone, if the code was right."""
    user, form = mine(request), CodeForm(request.POST)
    if form.is_valid():
        try:
            second_factor.remove(user=user, code=form.cleaned_data["code"])
            messages.success(request, "Removed. You sign in with your password alone.")
            return HttpResponseRedirect(reverse("console:me"))
        except colleagues.Refused as refusal:
            form.add_error("code", str(refusal))
    return settings_page(request, form=SettingsForm(initial=initial_of(request)), remove=form)
