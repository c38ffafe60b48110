"""Colleagues: who may sign in, in which role, and whose suppliers they see."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as BaseUserAdmin
from django.contrib.auth.models import Group, User
from django.db import models
from django.http import HttpRequest
from unfold.admin import ModelAdmin, StackedInline
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from success.models import Colleague

admin.site.unregister(User)
admin.site.unregister(Group)


class ColleagueInline(StackedInline):
    model = Colleague
    can_delete = False
    fields = ["own_book_only", "timezone"]


@admin.register(User)
class UserAdmin(BaseUserAdmin, ModelAdmin):  # type: ignore[type-arg]  # not generic when it runs
    """The roles are groups. Nobody is deleted: what they did stays theirs."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["username", "first_name", "last_name", "email", "role", "is_active", "last_login"]
    list_filter = ["is_active", "groups"]
    list_per_page = 50
    filter_horizontal = ()
    inlines = [ColleagueInline]
    fieldsets = [
        (None, {"fields": ["username", "password", "is_active"]}),
        ("Who", {"fields": ["first_name", "last_name", "email"]}),
        ("Role", {"fields": ["groups"]}),
    ]
    formfield_overrides = {models.ManyToManyField: {"widget": forms.CheckboxSelectMultiple}}

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("groups")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Every account is one of ours: the product's users have none."""
        obj.is_staff = True
        super().save_model(request, obj, form, change)

    @admin.display(description="role")
    def role(self, user: User) -> str:
        return ", ".join(group.name for group in user.groups.all()) or ("administrator" if user.is_superuser else "none: sees nothing")
