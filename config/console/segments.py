"""Segments: kinds of suppliers by name, with whom each finds."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from config.console import listing
from config.console.conditions import ConditionField, in_words
from success import facts, history, segments
from success.admin.base import ModelAdmin
from success.models import Segment

LOST = "It asks for something that is no longer known: choose anew."


class SegmentForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic when it runs
    condition = ConditionField(label="Who is in it")

    class Meta:
        model = Segment
        fields = ["name", "key", "condition"]


@admin.register(Segment)
class SegmentAdmin(ModelAdmin):
    """A segment is used by its key, which therefore stays."""

    form = SegmentForm
    search_fields = ["name", "key"]
    ordering = ["name"]
    fields = ["name", "key", "condition"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["key"] if obj else []

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, tuple[str, ...]]:
        return {} if obj else {"key": ("name",)}

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return self.fields if self.has_change_permission(request, obj) or not obj else ["name", "key", "says", "suppliers"]

    def changes_of(self, found: Any) -> list[history.Change]:
        return [in_words(change) for change in super().changes_of(found)]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        known = facts.known()  # for all rows together

        @admin.display(description="who is in it")
        def says(segment: Segment) -> str:
            return segments.sentence(segment, known) or LOST

        return ["name", "key", says, "suppliers"]

    @admin.display(description="suppliers")
    def suppliers(self, segment: Segment) -> SafeString:
        return format_html('<a class="text-link" href="{}" aria-label="Show who is in {}">Show them</a>', listing.link({"segment": segment.key}), segment.name)

    @admin.display(description="who is in it")
    def says(self, segment: Segment) -> str:
        return segments.sentence(segment, facts.known()) or LOST
