"""What we are compared with over HTTP: the views one would write with Django and DRF alone. Served by the same process as ours."""

import json
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.parsers import JSONParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from success.models import Activity


def raw_score(request: HttpRequest, id: str) -> HttpResponse:
    """A raw cursor and JSON: the score as it is stored, nobody asked who calls or how often."""
    with connection.cursor() as cursor:
        cursor.execute(
            """select a.status, a.score, a.level, a.points, a.changed_at from success_supplier s join health_assessment a on a.supplier_id = s.id
               where s.external_id = %s""",
            [id],
        )
        status, score, level, points, changed_at = cursor.fetchone()
    body = {"supplier": id, "status": status, "score": score, "level": level, "points": points, "changed_at": changed_at.isoformat()}
    return HttpResponse(json.dumps(body), content_type="application/json")


class ActivitySerializer(serializers.ModelSerializer[Activity]):
    class Meta:
        model = Activity
        fields = ["message", "received_at", "occurred_at", "supplier_id", "source_id", "event_id", "clamped", "properties"]

    message = serializers.UUIDField()  # without the query that looks for each whether it is there
    supplier_id = serializers.IntegerField()
    source_id = serializers.IntegerField()
    event_id = serializers.IntegerField()


class ManyView(APIView):
    """`many=True`, saved as the serializer does by itself: one by one."""

    authentication_classes: list[type[BaseAuthentication]] = []
    permission_classes = []
    throttle_classes = []
    parser_classes = [JSONParser]
    renderer_classes = [JSONRenderer]

    def post(self, request: Request) -> Response:
        serializer = ActivitySerializer(data=request.data, many=True)
        serializer.is_valid(raise_exception=True)
        self.save(serializer)
        return Response({"accepted": len(serializer.validated_data)})

    def save(self, serializer: Any) -> None:
        serializer.save()


class ManyInBulkView(ManyView):
    """The same, saved by one `bulk_create`."""

    def save(self, serializer: Any) -> None:
        Activity.objects.bulk_create([Activity(**row) for row in serializer.validated_data])


urlpatterns = [
    path("compared/score/<str:id>/", raw_score),
    path("compared/many/", ManyView.as_view()),
    path("compared/many-in-bulk/", ManyInBulkView.as_view()),
    path("", include("config.urls")),
]
