"""The way to the stream for a product's pages: tickets, and polling where no stream is to be had."""

from http import HTTPStatus
from typing import Any, ClassVar

from django.db import transaction
from django.utils.decorators import method_decorator
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from success import clock, suppliers
from success.api.callers import ProductUser, caller_of, key_of
from success.api.errors import Away, Refusals
from success.api.fields import Text
from success.api.views import REVALIDATED, Strict, SupplierView
from success.models import Notification, Source, Supplier
from success.models.stream import Push
from success.stream import tickets

MOST = 100


class TicketAskBody(Strict):
    """Whose stream. A product user may leave it out: it is her own."""

    supplier = Text(required=False, max_length=128, help_text="An API key names the supplier.")


class TicketBody(serializers.Serializer[Any]):
    ticket = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="Seconds within which it is to be used, once.")


class TicketView(SupplierView):
    """A ticket to the stream of one supplier. A supplier not seen before is created: her page may be open before she does anything."""

    scopes: ClassVar = {"POST": ("own",)}

    @extend_schema(request=TicketAskBody, responses={HTTPStatus.CREATED: TicketBody})
    def post(self, request: Request) -> Response:
        asked = self.body(TicketAskBody).get("supplier") if request.data else None
        try:
            text = tickets.issue(self.ticket(request, asked))
        except tickets.Away:
            raise Away("No ticket can be had just now. Ask again a little later, or poll.") from None
        return Response({"ticket": text, "expires_in": tickets.GOOD_FOR}, status=HTTPStatus.CREATED)

    def ticket(self, request: Request, asked: str | None) -> tickets.Ticket:
        """What the ticket lets in. Of one supplier's pages those of one person count together; whoever comes by a key is one person."""
        caller = caller_of(request)
        if isinstance(caller, ProductUser):
            name = self.supplier(asked or "me")
            user = tickets.digest_of(f"{name}\0{caller.person}")
            return tickets.Ticket(self.known(name, None), tickets.digest_of(name), user, until=caller.expires_at)
        if not asked:
            raise serializers.ValidationError({"supplier": "Is required."})
        name, key = self.supplier(asked), key_of(request)
        return tickets.Ticket(self.known(name, key.source_id), tickets.digest_of(name), tickets.digest_of(f"{name}\0key {key.key_id}"), key=key.key_id)

    def known(self, name: str, source: int | None) -> int:
        found = Supplier.objects.filter(external_id=name).values_list("pk", flat=True).first()
        if found is not None:
            return found
        try:
            with transaction.atomic():
                return suppliers.resolve_one(name, source=Source(pk=source) if source else None, at=clock.now())
        except suppliers.SupplierErased:
            raise Refusals([{"pointer": "", "detail": "This supplier asked to be forgotten."}]) from None


class PushBody(serializers.Serializer[Any]):
    id = serializers.IntegerField(allow_null=True, help_text="Its place in the stream; null until it has one.")
    event = serializers.CharField()
    data = serializers.JSONField()  # type: ignore[assignment]


class PushesBody(serializers.Serializer[Any]):
    results = PushBody(many=True)
    next = serializers.URLField(allow_null=True)
    unread = serializers.IntegerField()


@method_decorator(REVALIDATED, name="dispatch")
class PushesView(SupplierView):
    """For pages that have no stream: what waits for her and is not settled, the oldest first, and how much of her inbox is not read."""

    scopes: ClassVar = {"GET": ("read", "own")}

    @extend_schema(responses=PushesBody)
    def get(self, request: Request, id: str) -> Response:
        at, supplier = clock.now(), Supplier.objects.filter(external_id=self.supplier(id)).values_list("pk", flat=True).first()
        if supplier is None:
            raise NotFound
        waiting = Push.objects.filter(supplier=supplier, waits=True, settled_at=None, at__lte=at).order_by("pk")[:MOST]
        unread = Notification.objects.filter(supplier=supplier, at__lte=at, withdrawn_at=None, read_at=None).count()
        results = [{"id": one.place, "event": one.event, "data": one.data} for one in waiting]
        return Response({"results": results, "next": None, "unread": unread})
