"""Segment's HTTP API: what the product's own libraries send. Answered only after the commit."""

from http import HTTPStatus
from typing import Any, ClassVar

import msgspec
import structlog
from django.conf import settings
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from success import activity, arrivals, clock, messages
from success.api.authentication import IngestAuthentication
from success.api.bodies import FaultBody
from success.api.callers import Caller, KeyCaller, caller_of, key_of
from success.api.errors import Refusals, TooLarge
from success.api.parsers import RawJSONParser, RawTextParser, refuse
from success.api.views import View
from success.models import Source

MAY_NOT = "This key may not send: its scopes do not include ingest."

log = structlog.get_logger(__name__)


class MessageBody(serializers.Serializer[Any]):
    """A message of Segment's; fields we do not know are passed over."""

    messageId = serializers.CharField(max_length=255, required=False, allow_null=True, allow_blank=True, help_text="Counted once, however often it is sent.")
    timestamp = serializers.DateTimeField(required=False, allow_null=True, help_text="With its zone; without it, the time of receipt.")
    context = serializers.DictField(required=False, allow_null=True)  # type: ignore[assignment]  # a field of that name, not the serializer's context


class PersonBody(MessageBody):
    userId = serializers.CharField(max_length=128, help_text="The supplier, or the person where `groupId` is the supplier.")
    groupId = serializers.CharField(max_length=128, required=False, allow_null=True, allow_blank=True)


class TrackBody(PersonBody):
    event = serializers.CharField(max_length=200)
    properties = serializers.DictField(required=False, allow_null=True)


class PageBody(PersonBody):
    name = serializers.CharField(required=False, allow_null=True, allow_blank=True)
    properties = serializers.DictField(required=False, allow_null=True)


class IdentifyBody(PersonBody):
    traits = serializers.DictField(required=False, allow_null=True)


class GroupBody(MessageBody):
    groupId = serializers.CharField(max_length=128)
    userId = serializers.CharField(max_length=128, required=False, allow_null=True, allow_blank=True)
    traits = serializers.DictField(required=False, allow_null=True)


class TypedMessageBody(TrackBody, PageBody, IdentifyBody, GroupBody):
    """A message of any kind, with the fields of its kind."""

    type = serializers.ChoiceField(["track", "identify", "page", "screen", "group"])
    userId = serializers.CharField(max_length=128, required=False, allow_null=True, allow_blank=True, help_text="Required but for `group`.")
    groupId = serializers.CharField(max_length=128, required=False, allow_null=True, allow_blank=True, help_text="Required for `group`.")
    event = serializers.CharField(max_length=200, required=False, allow_null=True, allow_blank=True, help_text="Required for `track`.")


class BatchBody(serializers.Serializer[Any]):
    batch = TypedMessageBody(many=True)


class RefusedBody(serializers.Serializer[Any]):
    index = serializers.IntegerField()
    messageId = serializers.CharField(allow_null=True)
    errors = FaultBody(many=True)  # type: ignore[assignment]


class ReceiptBody(serializers.Serializer[Any]):
    success = serializers.BooleanField()
    accepted = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    refused = RefusedBody(many=True)


class TakenBody(serializers.Serializer[Any]):
    success = serializers.BooleanField()


class IngestView(View):
    authentication_classes = [IngestAuthentication]
    parser_classes = [RawJSONParser, RawTextParser]
    scopes: ClassVar = {"POST": ("ingest",)}
    kind: str | None = None
    told = False
    caller: Caller | None = None

    def perform_authentication(self, request: Request) -> None:
        super().perform_authentication(request)
        self.caller = caller_of(request)

    def take(self, raw: list[msgspec.Raw] | list[bytes], kind: str | None) -> activity.Receipt:
        """What became of the messages, committed; and told to whoever watches what arrives."""
        key, at = key_of(self.request), clock.now()
        receipt = activity.take(raw, kind=kind, source=Source(pk=key.source_id), received_at=at)
        self.told = True
        try:
            arrivals.tell(key.key_id, arrivals.lines(receipt, kind=kind, at=at))
        except Exception:
            log.exception("arrivals_not_told")
        return receipt

    def handle_exception(self, exc: Exception) -> Response:
        """A request refused as a whole is told, too, where the key is known."""
        response = super().handle_exception(exc)
        if not self.told and isinstance(self.caller, KeyCaller):
            problem = response.data if response.status_code != HTTPStatus.FORBIDDEN else {"detail": MAY_NOT}
            arrivals.tell(self.caller.access.key_id, [arrivals.whole(problem, at=clock.now())])
        return response

    def bytes_sent(self) -> bytes:
        sent: object = self.request.data
        return sent if isinstance(sent, bytes) else b""


class BatchView(IngestView):
    """Up to 1,000 messages. The good are kept, the bad reported one by one: accepted + duplicates + refused is what was sent."""

    @extend_schema(request=BatchBody, responses=ReceiptBody)
    def post(self, request: Request) -> Response:
        body = self.bytes_sent()
        try:
            batch = messages.batch_decoder.decode(body).batch
        except msgspec.DecodeError as error:
            refuse(body, error)
        if len(batch) > settings.INGEST_BATCH_LIMIT:
            raise TooLarge(f"A batch has at most {settings.INGEST_BATCH_LIMIT} messages.")
        receipt = self.take(batch, None)
        refused = [{"index": one.index, "messageId": one.message_id, "errors": one.errors} for one in receipt.refused]
        return Response({"success": True, "accepted": receipt.accepted, "duplicates": receipt.duplicates, "refused": refused})


class OneView(IngestView):
    """One message of the kind the route names."""

    def post(self, request: Request) -> Response:
        body = self.bytes_sent()
        try:
            msgspec.json.decode(body, type=dict[str, msgspec.Raw])
        except msgspec.DecodeError as error:
            refuse(body, error)
        receipt = self.take([body], self.kind)
        if receipt.refused:
            raise Refusals(receipt.refused[0].errors)
        return Response({"success": True})


def one_of(kind: str, body: type[MessageBody]) -> type[OneView]:
    """The view for messages of one kind."""
    view = type(f"{kind.title()}View", (OneView,), {"kind": kind, "__doc__": OneView.__doc__})
    return extend_schema_view(post=extend_schema(request=body, responses={HTTPStatus.OK: TakenBody}))(view)


KINDS = {
    kind: one_of(kind, body) for kind, body in {"track": TrackBody, "identify": IdentifyBody, "page": PageBody, "screen": PageBody, "group": GroupBody}.items()
}
