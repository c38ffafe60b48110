"""What every view of the API shares: declared query, limits told, one's own supplier only."""

import re
from typing import Any, ClassVar

from django.urls import register_converter
from django.urls.converters import StringConverter
from django.views.decorators.cache import cache_control
from django.views.decorators.http import conditional_page
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from success.api.callers import ProductUser
from success.api.renderers import FastJSONRenderer
from success.limits import Verdict

PLAIN = re.compile("[A-Za-z_][A-Za-z0-9_]{0,39}")
UNNAMED = "non_field_errors"  # the name sent could be anything, an address too: it is not sent back


class Strict(serializers.Serializer[Any]):
    """A body or query in which a field we do not know is an error."""

    strict = True  # the schema says so

    def to_internal_value(self, data: Any) -> Any:
        if hasattr(data, "keys") and (unknown := sorted(set(data.keys()) - set(self.fields))):
            raise serializers.ValidationError({name if PLAIN.fullmatch(name) else UNNAMED: "Is not a field of this." for name in unknown[:20]})
        return super().to_internal_value(data)


class NoQuery(Strict):
    """No parameter is taken."""


class View(APIView):
    """`scopes` names for each method who may; `query_serializer` declares the query, `request_serializer` the body."""

    http_method_names = ["get", "head", "post", "put", "patch", "delete"]  # no OPTIONS: the schema describes
    scopes: ClassVar[dict[str, tuple[str, ...]]] = {}
    query_serializer: ClassVar[type[Strict]] = NoQuery
    verdict: Verdict | None = None
    query: dict[str, Any]

    def check_permissions(self, request: Request) -> None:
        """The limit first: who may not is counted, too."""
        super().check_throttles(request)
        super().check_permissions(request)

    def check_throttles(self, request: Request) -> None:
        """Done before the permissions."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        query = self.query_serializer(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        self.query = query.validated_data

    def body(self, serializer: type[Strict], **kwargs: Any) -> Any:
        """The declared body of the request, checked."""
        filled = serializer(data=self.request.data, **kwargs)
        filled.is_valid(raise_exception=True)
        return filled.validated_data

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        if response.exception:  # a problem is JSON, whatever the view renders
            request.accepted_renderer, request.accepted_media_type = FastJSONRenderer(), FastJSONRenderer.media_type
        response = super().finalize_response(request, response, *args, **kwargs)
        if self.verdict is not None:
            response["RateLimit-Limit"] = str(self.verdict.limit)
            response["RateLimit-Remaining"] = str(self.verdict.remaining)
            response["RateLimit-Reset"] = str(max(1, round(self.verdict.reset)))
        return response


# A page that polls is told in few bytes that nothing is new; nobody between keeps the answer.
REVALIDATED = [cache_control(private=True, no_cache=True), conditional_page]


class AnyId(StringConverter):
    """An id of the product in an address: it may hold a slash. Longer than any id is, and bounded, so that no address takes long to resolve."""

    regex = r"[\s\S]{1,256}"


register_converter(AnyId, "any_id")


class SupplierView(View):
    """A view on one supplier: `me` or its own id for a product user, any for a key."""

    def supplier(self, id: str) -> str:
        """The external id asked for. Someone else's answers exactly as one that does not exist."""
        user = self.request.user
        if isinstance(user, ProductUser):
            if id not in ("me", user.supplier):
                raise NotFound
            return user.supplier
        if id == "me" or len(id) > 128 or "\0" in id:
            raise NotFound
        return id


class UnroutedView(View):
    """A path under the API that nobody serves: a problem for every verb, whoever asks."""

    authentication_classes = []
    permission_classes = []

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self.check_permissions(request)
        raise NotFound
