"""The OpenAPI description, read from what the views declare."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry

from success.api.bodies import ProblemBody
from success.api.problems import MEDIA_TYPE


class Schema(AutoSchema):
    """Adds each view's declared query."""

    def get_override_parameters(self) -> list[Any]:
        query = getattr(self.view, "query_serializer", None)
        return [query] if query is not None and query().fields else []

    def _map_basic_serializer(self, serializer: Any, direction: str) -> dict[str, Any]:
        schema: dict[str, Any] = super()._map_basic_serializer(serializer, direction)
        return schema | {"additionalProperties": False} if getattr(serializer, "strict", False) else schema

    def get_operation(self, path: str, path_regex: str, path_prefix: str, method: str, registry: ComponentRegistry) -> dict[str, Any] | None:
        operation = super().get_operation(path, path_regex, path_prefix, method, registry)
        if operation is not None:
            schema = self.resolve_serializer(ProblemBody, "response").ref
            operation["responses"]["default"] = {"description": "A problem (RFC 9457).", "content": {MEDIA_TYPE: {"schema": schema}}}
        return operation


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

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[dict[str, list[str]]]:
        return [{"basic": []}, {"bearer": []}]

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {"type": "http", "scheme": "basic", "description": "The API key as user name."}
