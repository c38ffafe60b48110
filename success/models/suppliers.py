"""Suppliers (the accounts), the people behind them, and those who asked to be forgotten."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce

from success.models.history import WorthKeeping, noticed, remembered


class Status(models.TextChoices):
    TRIAL = "trial"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    PAUSED = "paused"
    CANCELLED = "cancelled"


OUT_OF_SERVICE = Q(internal=True) | Q(status__in=[Status.CANCELLED, Status.PAUSED])


class SupplierQuerySet(models.QuerySet["Supplier"]):
    def in_service(self) -> Self:
        """Those who are scored and listed: neither cancelled, nor paused, nor internal."""
        return self.exclude(OUT_OF_SERVICE)


@remembered(
    "status", "internal", "plan", "vertical", "owner", "created_at", "trial_ends_at", "renews_at", "cancelled_at", "mrr", "currency", "custom",
    when=WorthKeeping(),
)  # fmt: skip
class Supplier(models.Model):
    """An account of the product. Business facts only: names and addresses are `Contact`'s."""

    external_id = models.CharField("id", max_length=128, unique=True)
    source = models.ForeignKey("success.Source", models.PROTECT, null=True, blank=True, editable=False, related_name="+", help_text="who first named it")
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.ACTIVE)
    internal = models.BooleanField(default=False, help_text="a test or staff account: never scored, listed or written to")
    plan = models.CharField(max_length=80, blank=True)
    vertical = models.CharField("trade", max_length=80, blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="suppliers")
    created_at = models.DateTimeField("signed up", null=True, blank=True)
    trial_ends_at = models.DateTimeField(null=True, blank=True)
    renews_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    mrr = models.FloatField("MRR", null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    custom = models.JSONField(default=dict, blank=True)
    said_at = models.JSONField(default=dict, db_default={}, editable=False, help_text="per trait, when what it now is was said")
    first_seen_at = models.DateTimeField(editable=False)
    changed_at = models.DateTimeField(editable=False)

    objects = SupplierQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(external_id=""), name="supplier_has_an_id"),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="supplier_status_is_known"),
        ]
        indexes = [
            models.Index(fields=["changed_at"], name="supplier_changed"),
            models.Index(Coalesce("created_at", "first_seen_at"), name="supplier_known_since"),
            models.Index(fields=["trial_ends_at"], condition=Q(status="trial"), name="supplier_on_trial"),
            models.Index(fields=["status", "internal", "owner"], condition=OUT_OF_SERVICE, name="supplier_out"),
            models.Index(fields=["plan"], name="supplier_plan"),
            models.Index(fields=["vertical"], name="supplier_vertical"),
        ]

    def __str__(self) -> str:
        return self.external_id

    @property
    def in_service(self) -> bool:
        """Neither cancelled, nor paused, nor internal."""
        return not self.internal and self.status not in (Status.CANCELLED, Status.PAUSED)


@noticed("name", "email", "phone", "locale", "timezone", "is_primary")
class Contact(models.Model):
    """A person behind a supplier; the one table with personal data."""

    supplier = models.ForeignKey(Supplier, models.CASCADE, related_name="contacts")
    external_id = models.CharField(max_length=128)
    name = models.CharField(max_length=200, blank=True)
    email = models.CharField(max_length=254, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    locale = models.CharField(max_length=35, blank=True)
    timezone = models.CharField(max_length=64, blank=True)
    is_primary = models.BooleanField(default=False)
    said_at = models.JSONField(default=dict, db_default={}, editable=False, help_text="per trait, when what it now is was said")
    erased_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["supplier", "external_id"], name="contact_once"),
            models.UniqueConstraint(fields=["supplier"], condition=Q(is_primary=True), name="contact_one_primary"),
            models.CheckConstraint(condition=Q(erased_at=None) | Q(name="", email="", phone=""), name="contact_erased_is_empty"),
        ]
        indexes = [models.Index(fields=["email"], name="contact_email")]

    def __str__(self) -> str:
        return self.name or self.external_id


class Kind(models.TextChoices):
    """What the values of a custom field are taken for, where conditions compare them."""

    TEXT = "text", "text"
    NUMBER = "number", "number"
    BOOLEAN = "boolean", "yes or no"


@remembered("name", "kind", "description", ends=True)
class CustomField(models.Model):
    """A trait beyond the built-in ones that is kept, in `Supplier.custom`. Undeclared traits are only counted."""

    name = models.CharField(max_length=80, unique=True)
    kind = models.CharField(max_length=7, choices=Kind.choices, default=Kind.TEXT, db_default=Kind.TEXT, help_text="conditions compare its values as this")
    description = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return self.name


class StatusChange(models.Model):
    """Since when a supplier is in service or not. Written by trigger, whoever changed the supplier."""

    supplier = models.ForeignKey(Supplier, models.CASCADE, related_name="status_changes")
    at = models.DateTimeField()
    status = models.CharField(max_length=9, choices=Status.choices)
    internal = models.BooleanField()

    class Meta:
        indexes = [models.Index(fields=["supplier", "at"], name="statuschange_by_supplier")]


class Erased(models.Model):
    """Keyed hash of an id or address that was erased: whoever sends it again is refused."""

    digest = models.BinaryField(max_length=32, primary_key=True)
    erased_at = models.DateTimeField()
