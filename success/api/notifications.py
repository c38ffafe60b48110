"""A supplier's inbox within the product, and what she wants to be told."""

from datetime import datetime
from http import HTTPStatus
from typing import Any, ClassVar

import pghistory
from django.db import transaction
from django.db.models import QuerySet
from django.utils.decorators import method_decorator
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from success import clock, suppliers
from success.api.callers import KeyCaller, caller_of
from success.api.errors import Refusals
from success.api.fields import Instant
from success.api.pagination import PageQuery, page
from success.api.views import REVALIDATED, Strict, SupplierView
from success.models import Notification, Source, Supplier
from success.notifications import preferences


class NotificationBody(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    category = serializers.CharField()
    title = serializers.CharField()
    text = serializers.CharField(allow_blank=True)
    link = serializers.CharField(allow_blank=True)
    at = serializers.DateTimeField()
    read_at = serializers.DateTimeField(allow_null=True)


class InboxBody(serializers.Serializer[Any]):
    results = NotificationBody(many=True)
    next = serializers.URLField(allow_null=True)
    unread = serializers.IntegerField()


class NothingBody(Strict):
    """No field is taken."""


@method_decorator(REVALIDATED, name="dispatch")
class InboxView(SupplierView):
    """What she was told within the product, the latest first, and how much of it she has not read."""

    scopes: ClassVar = {"GET": ("read", "own")}
    query_serializer = PageQuery

    @extend_schema(responses=InboxBody)
    def get(self, request: Request, id: str) -> Response:
        found, limit = inbox(self.supplier(id), at=clock.now()), self.query["limit"]
        rows = found.order_by("-pk").values("id", "category", "title", "text", "link", "at", "read_at")
        if self.query["cursor"]:
            rows = rows.filter(pk__lt=self.query["cursor"])
        results: list[Any] = list(rows[: limit + 1])
        answer = page(request, results[:limit], last=results[limit - 1]["id"] if len(results) > limit else None)
        answer.data["unread"] = found.filter(read_at=None).count()
        return answer


class ReadView(SupplierView):
    """She has read it."""

    scopes: ClassVar = {"POST": ("own",)}

    @extend_schema(request=NothingBody, responses=NotificationBody)
    def post(self, request: Request, id: str, n: str) -> Response:
        if request.data:
            self.body(NothingBody)
        number = int(n) if n.isascii() and n.isdecimal() and len(n) < 19 else 0
        found = inbox(self.supplier(id), at=clock.now()).filter(pk=number)
        found.filter(read_at=None).update(read_at=clock.now())
        row = found.values("id", "category", "title", "text", "link", "at", "read_at").first()
        if row is None:
            raise NotFound
        return Response(row)


def inbox(name: str, *, at: datetime) -> QuerySet[Notification]:
    supplier = Supplier.objects.filter(external_id=name).values_list("pk", flat=True).first()
    if supplier is None:
        raise NotFound
    return Notification.objects.filter(supplier=supplier, at__lte=at, withdrawn_at=None)


# ---------------------------------------------------------------- preferences


class YesOrNo(serializers.BooleanField):
    """A truth value, and nothing that could be made one."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class ChannelsBody(Strict):
    in_app = YesOrNo(required=False)
    email = YesOrNo(required=False)


class CategoriesBody(Strict):
    def get_fields(self) -> dict[str, Any]:
        return {category: YesOrNo(required=False) for category in preferences.CATEGORIES}


class QuietHoursBody(Strict):
    """Of the supplier's own day; the same twice for none."""

    start = serializers.RegexField("^([01][0-9]|2[0-3]):[0-5][0-9]$")
    end = serializers.RegexField("^([01][0-9]|2[0-3]):[0-5][0-9]$")


class PreferencesBody(Strict):
    """What is left out stays as it is."""

    channels = ChannelsBody(required=False)
    categories = CategoriesBody(required=False)
    quiet_hours = QuietHoursBody(required=False, allow_null=True)
    paused_until = Instant(required=False, allow_null=True)


class PreferencesView(SupplierView):
    """What she wants to be told, how and when. May be said before anything else is known of her."""

    scopes: ClassVar = {"GET": ("own",), "PUT": ("own",)}

    @extend_schema(responses=PreferencesBody)
    def get(self, request: Request, id: str) -> Response:
        supplier = Supplier.objects.filter(external_id=self.supplier(id)).values_list("pk", flat=True).first()
        if supplier is None:
            raise NotFound
        return Response(preferences.shown(supplier))

    @extend_schema(request=PreferencesBody, responses={HTTPStatus.OK: PreferencesBody})
    def put(self, request: Request, id: str) -> Response:
        name, at, caller = self.supplier(id), clock.now(), caller_of(request)
        changes = self.body(PreferencesBody)
        key = caller.access if isinstance(caller, KeyCaller) else None
        with pghistory.context(through=f"the API key “{key.name}”" if key else "the product"), transaction.atomic():
            try:
                supplier = suppliers.resolve_one(name, source=Source(pk=key.source_id) if key else None, at=at)
            except suppliers.SupplierErased:
                raise Refusals([{"pointer": "", "detail": "This supplier asked to be forgotten."}]) from None
            return Response(preferences.as_said(preferences.change(supplier, changes, at=at)))
