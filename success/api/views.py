"""What every view of the API shares: declared query, limits told, one's own supplier only."""

from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from success.api.callers import ProductUser
from success.limits import Verdict


class Strict(serializers.Serializer[Any]):
    """A body or query in which a field we do not know is an error."""

    def to_internal_value(self, data: Any) -> Any:
        if hasattr(data, "keys") and (unknown := sorted(set(data.keys()) - set(self.fields))):
            raise serializers.ValidationError(dict.fromkeys(unknown[:20], "Is not a field of this."))
        return super().to_internal_value(data)


class NoQuery(Strict):
    """No parameter is taken."""


class View(APIView):
    """`scopes` names for each method who may; `query_serializer` declares the query, `request_serializer` the body."""

    scopes: ClassVar[dict[str, tuple[str, ...]]] = {}
    query_serializer: ClassVar[type[Strict]] = NoQuery
    verdict: Verdict | None = None
    query: dict[str, Any]

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
        response = super().finalize_response(request, response, *args, **kwargs)
        if self.verdict is not None:
            response["RateLimit-Limit"] = str(self.verdict.limit)
            response["RateLimit-Remaining"] = str(self.verdict.remaining)
            response["RateLimit-Reset"] = str(max(1, round(self.verdict.reset)))
        return response


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
        raise NotFound
