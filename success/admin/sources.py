"""Sources and their keys."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from success import clock, keys
from success.admin.base import ModelAdmin
from success.models import ApiKey, Source
from success.models.sources import Scope


@admin.register(Source)
class SourceAdmin(ModelAdmin):
    list_display = ["name", "created_at", "is_demo"]
    search_fields = ["name"]
    ordering = ["name"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ApiKeyForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic when it runs
    scopes = forms.MultipleChoiceField(choices=Scope.choices, widget=forms.CheckboxSelectMultiple, initial=[Scope.INGEST])

    class Meta:
        model = ApiKey
        fields = ["source", "name", "scopes", "expires_at"]


@admin.register(ApiKey)
class ApiKeyAdmin(ModelAdmin):
    """A key is shown once, when it is made; afterwards it can only be revoked."""

    list_display = ["name", "prefix", "source", "scopes", "created_at", "expires_at", "last_used_at", "revoked_at"]
    list_filter = ["source"]
    form = ApiKeyForm
    actions = ["revoke"]
    change_form_outer_before_template = "console/key.html"

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["source", "name", "scopes", "expires_at", *(["prefix", "created_at", "created_by", "last_used_at", "revoked_at"] if obj else [])]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        made, key = keys.create(source=obj.source, name=obj.name, scopes=obj.scopes, expires_at=obj.expires_at, created_by=request.user.pk)
        obj.pk = made.pk
        messages.warning(request, f"Copy the key now, it is not shown again: {key}")

    @admin.action(description="Revoke: they open nothing any more", permissions=["add"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        for key in queryset:
            keys.revoke(key, at=clock.now())
        messages.success(request, "Revoked. They open nothing any more within a second.")
