"""Lists: `{"results": [..], "next": url or null}`, by key and not by offset, so that a page costs the same however far."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from success.api.views import Strict

PAGE = 100
MOST = 1000


class PageQuery(Strict):
    """Where a list goes on, and how many at once."""

    cursor = serializers.IntegerField(required=False, min_value=0, max_value=2**63 - 1, default=0, help_text="As `next` has it.")
    limit = serializers.IntegerField(required=False, min_value=1, max_value=MOST, default=PAGE)


def page(request: Request, results: list[dict[str, Any]], *, last: int | None) -> Response:
    """One page; `last` is the key it ends with if there is more."""
    following = None
    if last is not None:
        query = request.query_params.copy()
        query["cursor"] = str(last)
        following = request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
    return Response({"results": results, "next": following})
