"""Segments over the API: audiences for marketing."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from success import clock, conditions, facts, segments
from success.api.errors import Refusals
from success.api.fields import LOST
from success.api.pagination import PageQuery, page
from success.api.suppliers import SupplierPage
from success.api.views import View
from success.listing import Wanted, found
from success.models import Segment


class SegmentBody(serializers.Serializer[Any]):
    """A kind of suppliers: the condition, and the same in words (empty where it asks for something that is no longer known)."""

    key = serializers.CharField()
    name = serializers.CharField()
    condition = serializers.JSONField()
    sentence = serializers.CharField(allow_blank=True)


class SegmentPage(serializers.Serializer[Any]):
    results = SegmentBody(many=True)
    next = serializers.URLField(allow_null=True)


class SegmentsView(View):
    """Segments in the order in which they were made, a page at a time."""

    scopes: ClassVar = {"GET": ("read",)}
    query_serializer = PageQuery

    @extend_schema(responses=SegmentPage, operation_id="segments_list")
    def get(self, request: Request) -> Response:
        limit, known = self.query["limit"], facts.known()
        rows = list(Segment.objects.filter(pk__gt=self.query["cursor"]).order_by("pk")[: limit + 1])
        results = [{"key": one.key, "name": one.name, "condition": one.condition, "sentence": segments.sentence(one, known)} for one in rows[:limit]]
        return page(request, results, last=rows[limit - 1].pk if len(rows) > limit else None)


class SegmentSuppliersView(View):
    """The suppliers of a segment in the order of their keys, a page at a time."""

    scopes: ClassVar = {"GET": ("read",)}
    query_serializer = PageQuery

    @extend_schema(responses=SupplierPage, operation_id="segment_suppliers_list")
    def get(self, request: Request, key: str) -> Response:
        segment = segments.of(key)
        if segment is None:
            raise NotFound
        try:
            wanted = Wanted(segment=segments.condition_of(segment), cursor=self.query["cursor"])
        except conditions.Invalid:
            raise Refusals([{"pointer": "", "detail": LOST}]) from None
        results, last = found(wanted, limit=self.query["limit"], at=clock.now())
        return page(request, results, last=last)
