"""Bodies of answers that several routes share."""

from typing import Any

from rest_framework import serializers


class FaultBody(serializers.Serializer[Any]):
    pointer = serializers.CharField(allow_blank=True)
    detail = serializers.CharField()


class ProblemBody(serializers.Serializer[Any]):
    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    errors = FaultBody(many=True, required=False)  # type: ignore[assignment]
