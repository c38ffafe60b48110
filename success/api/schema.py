"""The OpenAPI description, read from what the views declare."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema


class Schema(AutoSchema):
    """Adds each view's declared query."""

    def get_override_parameters(self) -> list[Any]:
        query = getattr(self.view, "query_serializer", None)
        return [query] if query is not None and query().fields else []


class CallerScheme(OpenApiAuthenticationExtension):
    target_class = "success.api.authentication.CallerAuthentication"
    name = "bearer"
    priority = 1

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "An API key `cs_..`, or a token of the product for one of its users."}


class IngestScheme(OpenApiAuthenticationExtension):
    target_class = "success.api.authentication.IngestAuthentication"
    name = "basic"
    priority = 2

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {"type": "http", "scheme": "basic", "description": "The API key as user name; Segment's routes take it as a bearer, too."}
