"""What is said to suppliers, and what was sent."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from success.admin.base import ModelAdmin, OfSuppliers, ReadOnly
from success.admin.due import DueRowAdmin, StateFilter
from success.models import Notification, Push, Send
from success.notifications import letters

PARTS = ("subject", "text", "button", "link", "in_app_title", "in_app_text")


class MessageTemplateForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic when it runs
    """Every part is parsed before it is saved."""

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        for part in PARTS:
            if fault := letters.faults(found.get(part) or ""):
                self.add_error(part, f"This cannot be read: {fault}. Look for a bracket that is not closed.")
        if not found.get("in_app_title") and not (found.get("subject") and found.get("text")):
            raise ValidationError("Write a subject and a mail, or a title in the product.")
        return found


class MessageTemplateAdmin(ModelAdmin):
    """The console, which shows what a letter looks like, registers it."""

    form = MessageTemplateForm
    list_display = ["key", "category", "subject", "in_app_title", "cap_days"]
    list_filter = ["category"]
    search_fields = ["key", "subject", "text", "in_app_title"]
    ordering = ["key"]
    fieldsets = [
        (None, {"fields": ["key", "category"]}),
        ("Mail", {"fields": ["subject", "text", "button", "link"]}),
        ("In the product", {"fields": ["in_app_title", "in_app_text"]}),
        ("Limits", {"fields": ["cap_days", "good_for_days"]}),
        ("Preview", {"fields": ["example"]}),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["key"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Send)
class SendAdmin(DueRowAdmin):
    """What one that needs a person says is either tried again, with the same words, or dropped for a reason."""

    list_filter = [StateFilter, "channel", ("template", admin.RelatedOnlyFieldListFilter), "gate"]
    list_select_related = ["supplier", "user", "template"]
    search_fields = ["supplier__external_id", "key", "subject"]
    show_full_result_count = False
    fields = [
        "what", "who", "user", "category", "subject", "letter", "link", "at", "due_at", "latest_at", "frozen_at", "attempts", "ended_at", "ended_by",
        "gates", "overrule", "key", "cause", "message_id",
    ]  # fmt: skip
    readonly_fields = fields

    @admin.display(description="what", ordering="template__key")
    def what(self, row: Send) -> str:
        return f"{row.template.key.replace('_', ' ')} by {row.channel}"

    @admin.display(description="letter", empty_value="not written yet")
    def letter(self, row: Send) -> str | None:
        return "\n\n".join([row.text, *([f"[{row.button}]"] if row.button else [])]) or None


@admin.register(Notification)
class NotificationAdmin(ReadOnly, OfSuppliers):
    list_display = ["at", "supplier", "template", "title", "read_at", "withdrawn_at"]
    list_filter = ["category", ("template", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["supplier", "template"]
    search_fields = ["supplier__external_id", "title"]
    show_full_result_count = False
    ordering = ["-at"]


@admin.register(Push)
class PushAdmin(ReadOnly, OfSuppliers):
    """What was said to open pages. Without a place it waits for the dispatcher, or for its time."""

    list_display = ["at", "supplier", "event", "place", "waits", "settled_at"]
    list_filter = ["event", "waits"]
    list_select_related = ["supplier"]
    search_fields = ["supplier__external_id", "key"]
    show_full_result_count = False
    ordering = ["-at", "-pk"]
