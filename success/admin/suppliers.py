"""Suppliers, with the people behind them, their clients, and what they did."""

from dataclasses import replace
from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from unfold.admin import StackedInline

from success import clock, history, suppliers
from success.admin.base import ModelAdmin, OfSuppliers, ReadOnlyAdmin
from success.admin.due import DeliveriesInline
from success.colleagues import called
from success.messages import PERSONAL
from success.models import Contact, CustomField, Event, Supplier, Task
from success.stages import stage


class ContactInline(StackedInline):
    model = Contact
    extra = 0
    fields = ["external_id", "name", "email", "phone", "timezone", "is_primary"]


class SupplierAdmin(OfSuppliers):
    """The form of a supplier: business facts can be changed; who it is comes from the product. The list is the console's, which registers both."""

    supplier_path = ""
    search_fields = ["external_id", "contacts__name", "contacts__email"]
    search_help_text = "Name, mail or id"
    show_full_result_count = False
    list_per_page = 50
    readonly_fields = ["external_id", "source", "first_seen_at", "changed_at", "stage_now"]
    inlines = [ContactInline]
    fieldsets = [
        (None, {"fields": ["external_id", "stage_now", "status", "internal", "plan", "vertical", "owner"]}),
        ("Money and dates", {"fields": ["mrr", "currency", "created_at", "trial_ends_at", "renews_at", "cancelled_at", "custom"]}),
        ("Where it comes from", {"fields": ["source", "first_seen_at", "changed_at"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("contacts")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Supplier, form: Any, change: bool) -> None:
        """Through the same operation as every other writer, so that leaving and returning are told."""
        locked = suppliers.lock([obj.pk])[obj.pk]
        changes = {name: form.cleaned_data[name] for name in form.changed_data if name != "owner"}
        if "owner" in form.changed_data:
            changes["owner"] = obj.owner.get_username() if obj.owner else ""
        suppliers.update(locked, changes, at=clock.now())

    def response_post_save_change(self, request: HttpRequest, obj: Supplier) -> HttpResponseRedirect:
        """Back on her page, where one came from."""
        return HttpResponseRedirect(reverse("console:supplier", args=[obj.pk]))

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """What we change ourselves was said now: what arrives late does not change it back."""
        now = clock.now().isoformat()
        for one in formset.forms:
            one.instance.said_at |= dict.fromkeys(PERSONAL.keys() & set(one.changed_data), now)
        super().save_formset(request, form, formset, change)

    def changes_of(self, found: Supplier) -> list[history.Change]:
        """Of the account, of the people behind it, and of the tasks about it."""
        now, people, tasks = clock.now(), found.contacts.values_list("pk", flat=True), dict(found.tasks.values_list("pk", "title"))
        of_tasks = [replace(change, what=f"task “{tasks[change.key]}” changed") for change in history.changes(Task, tasks, before=now)]
        changes = [*super().changes_of(found), *history.changes(Contact, people, before=now), *of_tasks]
        return sorted(changes, key=lambda change: change.at, reverse=True)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "owner":
            kwargs["queryset"] = get_user_model().objects.filter(is_active=True, is_staff=True).order_by("first_name", "last_name", "username")
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if db_field.name == "owner":
            field.label_from_instance = called
        return field

    @admin.display(description="stage")
    def stage_now(self, supplier: Supplier) -> str:
        return stage_of(supplier)

    @admin.display(description="last activity", ordering="facts__last_activity_at")
    def last_activity(self, supplier: Supplier) -> Any:
        return supplier.facts.last_activity_at


def stage_of(supplier: Supplier) -> str:
    """Where a supplier stands now."""
    ends = {"trial_ends_at": supplier.trial_ends_at, "renews_at": supplier.renews_at}
    return stage(status=supplier.status, known_since=supplier.facts.known_since, **ends, at=clock.now())


@admin.register(Event)
class EventAdmin(OfSuppliers, ReadOnlyAdmin):
    list_display = ["name", "supplier", "at", "payload"]
    list_filter = ["name"]
    list_select_related = ["supplier"]
    inlines = [DeliveriesInline]
    ordering = ["-pk"]


@admin.register(CustomField)
class CustomFieldAdmin(ModelAdmin):
    list_display = ["name", "kind", "description"]
