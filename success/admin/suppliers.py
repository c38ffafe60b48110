"""Suppliers, with the people behind them, their clients, and what they did."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin, TabularInline

from success import clock, db, suppliers
from success.admin.base import OfSuppliers, ReadOnlyAdmin, table
from success.models import Contact, CustomField, Event, Supplier
from success.stages import stage

RECENT = """select to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI'), e.name, coalesce(actor, ''), coalesce(properties::text, '')
    from success_activity a join success_eventname e on e.id = a.event_id where a.supplier_id = %s order by occurred_at desc limit 50"""
CLIENTS = """select external_id, to_char(last_activity_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI'), case when archived_at is null then '' else 'archived' end
    from success_client where supplier_id = %s order by last_activity_at desc nulls last limit 50"""


class ContactInline(TabularInline):
    model = Contact
    extra = 0
    fields = ["external_id", "name", "email", "phone", "timezone", "is_primary"]


@admin.register(Supplier)
class SupplierAdmin(OfSuppliers):
    """Business facts can be changed; who a supplier is comes from the product."""

    supplier_path = ""

    list_display = ["external_id", "contact", "status", "stage_now", "plan", "vertical", "mrr", "owner", "last_activity"]
    list_filter = ["status", "internal", "plan", "vertical", "owner"]
    list_select_related = ["facts", "owner"]
    search_fields = ["external_id", "contacts__name", "contacts__email"]
    search_help_text = "Name, mail or id"
    show_full_result_count = False
    list_per_page = 50
    autocomplete_fields = ["owner"]
    readonly_fields = ["external_id", "source", "first_seen_at", "changed_at", "stage_now", "facts_now", "clients_now", "recent_activity"]
    inlines = [ContactInline]
    fieldsets = [
        (None, {"fields": ["external_id", "stage_now", "status", "internal", "plan", "vertical", "owner"]}),
        ("Money and dates", {"fields": ["mrr", "currency", "created_at", "trial_ends_at", "renews_at", "cancelled_at", "custom"]}),
        ("What we know", {"fields": ["facts_now", "recent_activity", "clients_now", "source", "first_seen_at", "changed_at"]}),
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

    @admin.display(description="contact")
    def contact(self, supplier: Supplier) -> str:
        people = sorted(supplier.contacts.all(), key=lambda person: not person.is_primary)
        return people[0].name if people else ""

    @admin.display(description="stage")
    def stage_now(self, supplier: Supplier) -> str:
        return stage_of(supplier)

    @admin.display(description="last activity", ordering="facts__last_activity_at")
    def last_activity(self, supplier: Supplier) -> Any:
        return supplier.facts.last_activity_at

    @admin.display(description="facts")
    def facts_now(self, supplier: Supplier) -> SafeString:
        facts = supplier.facts
        signed_in = f"{facts.last_sign_in_at:%Y-%m-%d %H:%M} UTC" if facts.last_sign_in_at else "never"
        return table(
            ("", ""),
            [
                ("last sign-in", signed_in),
                ("features used", facts.features.bit_count()),
                ("clients active", f"{facts.clients_active} of {facts.clients_total}"),
                ("forms completed", f"{facts.forms_completed} of {facts.forms_started}"),
                ("journey steps completed", f"{facts.steps_completed} of {facts.steps_started}"),
            ],
        )

    @admin.display(description="clients")
    def clients_now(self, supplier: Supplier) -> SafeString:
        return table(("client", "last active (UTC)", ""), db.rows(CLIENTS, [supplier.pk]))

    @admin.display(description="last 50 activities")
    def recent_activity(self, supplier: Supplier) -> SafeString:
        return table(("at (UTC)", "event", "person", "properties"), db.rows(RECENT, [supplier.pk]))


def stage_of(supplier: Supplier) -> str:
    """Where a supplier stands now."""
    ends = {"trial_ends_at": supplier.trial_ends_at, "renews_at": supplier.renews_at}
    return stage(status=supplier.status, known_since=supplier.facts.known_since, **ends, at=clock.now())


@admin.register(Event)
class EventAdmin(OfSuppliers, ReadOnlyAdmin):
    list_display = ["name", "supplier", "at", "payload"]
    list_filter = ["name"]
    list_select_related = ["supplier"]
    ordering = ["-pk"]


@admin.register(CustomField)
class CustomFieldAdmin(ModelAdmin):
    list_display = ["name", "description"]
