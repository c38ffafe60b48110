"""Health over the API: one supplier's score now, its history, and the counts of all."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from health import current, history, summary
from health.scoring import WS142
from success import clock
from success.api.callers import ProductUser
from success.api.suppliers import LEVELS
from success.api.views import Strict, SupplierView, View
from success.metrics import WINDOWS
from success.models import Supplier
from success.stages import STAGES

COMPONENTS = [component.key for component in WS142.components]


class HealthQuery(Strict):
    time_range = serializers.ChoiceField(list(WINDOWS), default="30d")
    include_breakdown = serializers.BooleanField(default=False)


class HistoryQuery(Strict):
    time_range = serializers.ChoiceField(list(WINDOWS), default="90d")


class ReasonBody(serializers.Serializer[Any]):
    key = serializers.CharField()
    text = serializers.CharField()
    component = serializers.ChoiceField(COMPONENTS, allow_null=True)


class TrendBody(serializers.Serializer[Any]):
    change = serializers.FloatField()
    since = serializers.DateField()


class NextLevelBody(serializers.Serializer[Any]):
    level = serializers.ChoiceField(LEVELS)
    points = serializers.FloatField()


class CoverageBody(serializers.Serializer[Any]):
    share = serializers.FloatField()
    missing = serializers.ListField(child=serializers.CharField())
    last_event_at = serializers.DateTimeField(allow_null=True)


class ScorecardBody(serializers.Serializer[Any]):
    key = serializers.CharField()
    version = serializers.IntegerField()


class OverrideBody(serializers.Serializer[Any]):
    computed_level = serializers.ChoiceField(LEVELS)
    by_role = serializers.CharField()
    reason = serializers.CharField()
    until = serializers.DateTimeField()


class PartBody(serializers.Serializer[Any]):
    key = serializers.ChoiceField(COMPONENTS)
    points = serializers.FloatField()
    max = serializers.FloatField()
    inputs = serializers.DictField()


class HealthBody(serializers.Serializer[Any]):
    """A supplier's health, from everything committed before the request."""

    supplier = serializers.CharField()
    time_range = serializers.ChoiceField(list(WINDOWS))
    status = serializers.ChoiceField(["ok", "insufficient_data", "ended"])
    score = serializers.FloatField(allow_null=True)
    level = serializers.ChoiceField(LEVELS, allow_null=True)
    stage = serializers.ChoiceField(STAGES)
    override = OverrideBody(allow_null=True)
    reasons = ReasonBody(many=True)
    trend = TrendBody(allow_null=True)
    to_next_level = NextLevelBody(allow_null=True)
    coverage = CoverageBody()
    scorecard = ScorecardBody()
    computed_at = serializers.DateTimeField()
    parts = PartBody(many=True, required=False)


class MovedBody(serializers.Serializer[Any]):
    component = serializers.ChoiceField(COMPONENTS)
    cause = serializers.CharField()
    points = serializers.FloatField()


class DayBody(serializers.Serializer[Any]):
    day = serializers.DateField()
    score = serializers.FloatField(allow_null=True)
    level = serializers.ChoiceField(LEVELS, allow_null=True)
    parts = serializers.DictField(child=serializers.FloatField())
    moved = MovedBody(many=True)


class HistoryBody(serializers.Serializer[Any]):
    results = DayBody(many=True)
    next = serializers.URLField(allow_null=True)


class SummaryBody(serializers.Serializer[Any]):
    levels = serializers.DictField(child=serializers.IntegerField())
    stages = serializers.DictField(child=serializers.IntegerField())
    left_out = serializers.DictField(child=serializers.IntegerField())
    movement = serializers.ListField(child=serializers.DictField())


class HealthView(SupplierView):
    """The hottest route: one prepared statement, no serializer on the way out."""

    scopes: ClassVar = {"GET": ("read", "own")}
    query_serializer = HealthQuery

    @extend_schema(responses=HealthBody)
    def get(self, request: Request, id: str) -> Response:
        name, time_range = self.supplier(id), self.query["time_range"]
        health = current.health_of(name, days=WINDOWS[time_range], at=clock.now())
        if health is None:
            raise NotFound
        is_ours = not isinstance(request.user, ProductUser)  # she sees what was computed, not what was thought of her
        return Response(current.shown(name, health, time_range=time_range, breakdown=self.query["include_breakdown"], computed=not is_ours))


class HistoryView(SupplierView):
    """The score day by day; a day without a row is as the day before."""

    scopes: ClassVar = {"GET": ("read", "own")}
    query_serializer = HistoryQuery

    @extend_schema(responses=HistoryBody)
    def get(self, request: Request, id: str) -> Response:
        supplier = Supplier.objects.filter(external_id=self.supplier(id)).only("pk").first()
        if supplier is None:
            raise NotFound
        days = WINDOWS[self.query["time_range"]]
        return Response({"results": history.history_of(supplier_id=supplier.pk, since=summary.days_ago(clock.now(), days)), "next": None})


class SummaryView(View):
    """Suppliers in service by level and stage, who is left out, and what moved in the last seven days."""

    scopes: ClassVar = {"GET": ("read",)}

    @extend_schema(responses=SummaryBody)
    def get(self, request: Request) -> Response:
        return Response(summary.summary(at=clock.now()))
