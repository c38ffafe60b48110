"""Fields of JSON bodies that take a value for what it is: no number for a text, no text for a number."""

import math
from datetime import datetime
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from success import conditions, messages, segments

LOST = "This segment asks for something that is no longer known. Change it in the admin."


class Text(serializers.CharField):
    """Text, and nothing that could be made one."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Number(serializers.FloatField):
    """A finite number."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float) or not abs(data) < math.inf:
            self.fail("invalid")
        return super().to_internal_value(data)


@extend_schema_field(OpenApiTypes.DATETIME)
class Instant(serializers.Field[datetime, Any, datetime, datetime]):
    """A time with its zone, from the year 2000 on."""

    def to_internal_value(self, data: Any) -> datetime:
        try:
            return messages.instant(data, "")
        except messages.Refused as error:
            raise serializers.ValidationError(str(error)) from None

    def to_representation(self, value: datetime) -> datetime:
        return value


class SegmentKey(serializers.CharField):
    """What a saved segment asks for, by its key."""

    def run_validation(self, data: Any = serializers.empty) -> conditions.Condition:
        """After the checks of a text: what it stands for is none."""
        segment = segments.of(super().run_validation(data))
        if segment is None:
            raise serializers.ValidationError("There is no segment of this key.")
        try:
            return segments.condition_of(segment)
        except conditions.Invalid:
            raise serializers.ValidationError(LOST) from None
