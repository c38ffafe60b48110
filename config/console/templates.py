"""Templates of messages, beside what they look like for a supplier."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string

from config.console.pages import console
from config.console.templatetags.words import person
from success import books
from success.admin.notifications import PARTS, MessageTemplateAdmin
from success.models import MessageTemplate, Send, Supplier
from success.notifications import letters, mail
from success.notifications.facts import values_of

OFFERED = 50


@admin.register(MessageTemplate)
class Templates(MessageTemplateAdmin):
    """Beside the form stands the letter, renewed while one types."""

    change_form_outer_before_template = "console/preview.html"

    def changeform_view(self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None) -> HttpResponseBase:
        offered = books.visible(Supplier.objects.in_service().prefetch_related("contacts"), request.user).order_by("-changed_at")[:OFFERED]
        about = {"offered": [(one.pk, person(one)) for one in offered] if object_id else []}
        answer: HttpResponseBase = super().changeform_view(request, object_id, form_url, {**about, **(extra_context or {})})
        return answer


@console("success.view_messagetemplate", methods=("POST",))
def preview(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The letter with the words of the form, for the frame beside it: a sandbox, in which no script runs and nothing leads anywhere."""
    template = get_object_or_404(MessageTemplate, pk=pk)
    for part in PARTS:
        if part in request.POST:
            setattr(template, part, request.POST[part])
    supplier = chosen(request)
    facts = values_of([supplier.pk])[supplier.pk] if supplier else {}
    known = {**template.example, **{key: value for key, value in facts.items() if value}}
    return HttpResponse(looks(template, known))


def chosen(request: HttpRequest) -> Supplier | None:
    key = request.POST.get("supplier", "")
    return books.visible(Supplier.objects.all(), request.user).filter(pk=int(key)).first() if key.isascii() and key.isdecimal() and len(key) < 19 else None


def looks(template: MessageTemplate, values: dict[str, Any]) -> str:
    """The mail and the message in the product; or why there would be none."""
    shown: dict[str, Any] = {"template": template}
    if template.subject or template.text:
        try:
            letter = letters.write(template, values)
            send = Send(subject=letter.subject, text=letter.text, button=letter.button, link=letter.link)
            shown |= {"send": send, "paragraphs": mail.paragraphs_of(send)}
        except letters.Unwritten as error:
            shown["mail_fault"] = str(error)
    if template.in_app_title:
        try:
            shown["in_app"] = letters.write_in_app(template, values)
        except letters.Unwritten as error:
            shown["in_app_fault"] = str(error)
    return render_to_string("notifications/preview.html", shown)
