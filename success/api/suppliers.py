"""Suppliers and their clients over the API."""

from datetime import datetime
from http import HTTPStatus
from typing import Any, ClassVar

import pghistory
from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from success import clients, clock, messages, suppliers
from success.api.bodies import FaultBody
from success.api.callers import key_of
from success.api.errors import Refusals, TooLarge
from success.api.fields import Instant, Number, SegmentKey, Text
from success.api.pagination import PageQuery, page
from success.api.views import Strict, SupplierView, View
from success.listing import Wanted, found, one
from success.models import Source, Supplier
from success.models.suppliers import Status
from success.stages import STAGES

LEVELS = ("critical", "at_risk", "healthy")
MOST_CLIENTS = 1000
OVERLAP = "A time with its zone. Ask with the time of your last request less ten minutes: what was being written while you asked may carry an earlier time."


class SupplierBody(serializers.Serializer[Any]):
    """A supplier: business facts, and where it stands."""

    id = serializers.CharField()
    plan = serializers.CharField(allow_blank=True)
    vertical = serializers.CharField(allow_blank=True)
    status = serializers.ChoiceField(Status.choices)
    stage = serializers.ChoiceField(STAGES)
    owner = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField(allow_null=True)
    trial_ends_at = serializers.DateTimeField(allow_null=True)
    renews_at = serializers.DateTimeField(allow_null=True)
    mrr = serializers.FloatField(allow_null=True)
    currency = serializers.CharField(allow_blank=True)
    score = serializers.FloatField(allow_null=True)
    level = serializers.ChoiceField(LEVELS, allow_null=True)
    next_milestone = serializers.CharField(allow_null=True)


class SupplierPage(serializers.Serializer[Any]):
    results = SupplierBody(many=True)
    next = serializers.URLField(allow_null=True)


class SupplierQuery(PageQuery):
    """Without `stage=lost` or `changed_after`, only those in service: neither cancelled, nor paused, nor internal."""

    level = serializers.ChoiceField(LEVELS, required=False)
    stage = serializers.ChoiceField(STAGES, required=False)
    owner = serializers.CharField(required=False, max_length=150)
    plan = serializers.CharField(required=False, max_length=80)
    segment = SegmentKey(required=False, max_length=40, help_text="The key of a segment. It says itself whether those out of service are in it.")
    changed_after = Instant(
        required=False,
        help_text="A time with its zone. Ask with the time of your last request less ten minutes: what was being written while you asked may carry an earlier one.",
    )


class SupplierChange(Strict):
    """What may be set on a supplier."""

    plan = Text(required=False, allow_blank=True, max_length=80)
    vertical = Text(required=False, allow_blank=True, max_length=80)
    status = serializers.ChoiceField(Status.choices, required=False)
    owner = Text(required=False, allow_null=True, max_length=150, help_text="User name of a success manager, or null.")
    trial_ends_at = Instant(required=False, allow_null=True)
    renews_at = Instant(required=False, allow_null=True)
    mrr = Number(required=False, allow_null=True, min_value=0, max_value=1e12)
    currency = serializers.RegexField("^[A-Z]{3}$", required=False)

    def validate_owner(self, value: str | None) -> str | None:
        if value and suppliers.owner_named(value) is None:
            raise serializers.ValidationError("Nobody here goes by this name.")
        return value


class SuppliersView(View):
    """Suppliers in the order of their keys, a page at a time."""

    scopes: ClassVar = {"GET": ("read",)}
    query_serializer = SupplierQuery

    @extend_schema(responses=SupplierPage, operation_id="suppliers_list")
    def get(self, request: Request) -> Response:
        query = dict(self.query)
        limit = query.pop("limit")
        results, last = found(Wanted(**query), limit=limit, at=clock.now())
        return page(request, results, last=last)


class OneSupplierView(SupplierView):
    """One supplier: business facts, and where it stands."""

    scopes: ClassVar = {"GET": ("read",), "PATCH": ("write",)}

    @extend_schema(responses=SupplierBody)
    def get(self, request: Request, id: str) -> Response:
        return Response(self.shown(self.supplier(id)))

    @extend_schema(request=SupplierChange, responses=SupplierBody)
    def patch(self, request: Request, id: str) -> Response:
        name = self.supplier(id)
        changes = self.body(SupplierChange)
        with pghistory.context(through=f"the API key “{key_of(request).name}”"), transaction.atomic():
            supplier = Supplier.objects.filter(external_id=name).select_for_update(no_key=True).first()
            if supplier is None:
                raise NotFound
            suppliers.update(supplier, changes, at=clock.now())
        return Response(self.shown(name))

    def shown(self, name: str) -> dict[str, Any]:
        shown = one(name, at=clock.now())
        if shown is None:
            raise NotFound
        return shown


class ClientBody(Strict):
    client_id = serializers.CharField(max_length=128)
    last_activity_at = serializers.DateTimeField(allow_null=True, required=False)


class ClientsBody(Strict):
    clients = serializers.ListField(child=serializers.JSONField(allow_null=True))


class DeclaredClients(Strict):
    clients = ClientBody(many=True)


class RefusedClient(serializers.Serializer[Any]):
    index = serializers.IntegerField()
    errors = FaultBody(many=True)  # type: ignore[assignment]


class PutBody(serializers.Serializer[Any]):
    added = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    refused = RefusedClient(many=True)


class ClientsView(SupplierView):
    """Up to 1,000 clients, added or updated; a time is never moved back. The good are kept, the bad reported one by one."""

    scopes: ClassVar = {"PUT": ("write",)}

    @extend_schema(request=DeclaredClients, responses=PutBody)
    def put(self, request: Request, id: str) -> Response:
        name, at = self.supplier(id), clock.now()
        sent = self.body(ClientsBody)["clients"]
        if len(sent) > MOST_CLIENTS:
            raise TooLarge(f"At most {MOST_CLIENTS} clients at once.")
        good, refused = judged(sent, at=at)
        with transaction.atomic():
            try:
                supplier = suppliers.resolve_one(name, source=Source(pk=key_of(request).source_id), at=at)
            except suppliers.SupplierErased:
                raise Refusals([{"pointer": "", "detail": "This supplier asked to be forgotten."}]) from None
            result = clients.put(supplier_id=supplier, clients=good, at=at)
        unchanged = len(sent) - len(refused) - result.added - result.updated
        return Response({"added": result.added, "updated": result.updated, "unchanged": unchanged, "refused": refused})


def judged(sent: list[Any], *, at: datetime) -> tuple[dict[str, datetime | None], list[dict[str, Any]]]:
    """The clients that can be taken, each with its latest time, and what is wrong with the others."""
    good: dict[str, datetime | None] = {}
    refused = []
    for index, candidate in enumerate(sent):
        try:
            name, last = client(candidate, at=at)
        except messages.Refused as error:
            refused.append({"index": index, "errors": error.errors})
            continue
        before = good.get(name)
        good[name] = max(before, last) if before and last else before or last
    return good, refused


def client(sent: Any, *, at: datetime) -> tuple[str, datetime | None]:
    if not isinstance(sent, dict):
        raise messages.Refused("", "Must be an object with client_id and last_activity_at.")
    if unknown := sorted(set(sent) - {"client_id", "last_activity_at"}):
        raise messages.Refused("", f"Has {len(unknown)} unknown fields; known are client_id and last_activity_at.")
    name = messages.required(sent.get("client_id"), "/client_id", 128)
    last = sent.get("last_activity_at")
    return name, None if last is None else messages.not_ahead(messages.instant(last, "/last_activity_at"), at)[0]


class OneClientView(SupplierView):
    scopes: ClassVar = {"DELETE": ("write",)}

    @extend_schema(responses={HTTPStatus.NO_CONTENT: None})
    def delete(self, request: Request, id: str, client_id: str) -> Response:
        """Archives the client: it no longer counts; its history stays."""
        supplier = Supplier.objects.filter(external_id=self.supplier(id)).first()
        if supplier is None or "\0" in client_id or not clients.archive(supplier_id=supplier.pk, client=client_id, at=clock.now()):
            raise NotFound
        return Response(status=HTTPStatus.NO_CONTENT)
