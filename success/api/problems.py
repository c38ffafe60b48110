"""Every error under /api/, /v1/ and /webhooks/ as RFC 9457: `application/problem+json`, without the input in it."""

from http import HTTPStatus
from typing import Any, cast

import structlog
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound, HttpResponseServerError, JsonResponse
from drf_standardized_errors.formatter import ExceptionFormatter
from drf_standardized_errors.handler import exception_handler as standard_handler
from drf_standardized_errors.types import ErrorResponse
from psycopg_pool import PoolTimeout
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from success.api.errors import Away, Refusals

log = structlog.get_logger(__name__)
MEDIA_TYPE = "application/problem+json"
OURS = ("/api/", "/v1/", "/webhooks/")
DATABASE_AWAY = (OperationalError, InterfaceError, PoolTimeout)

# The framework's own words for these quote what was sent.
SAID_PLAINLY = {
    "invalid_choice": "Is not one of the values it may have.",
    "method_not_allowed": "The method is not allowed here.",
    "unsupported_media_type": "The body must be JSON, as it is or in gzip.",
}


def problem(status: int, detail: str, errors: list[dict[str, str]] | None = None) -> dict[str, Any]:
    """The body of a problem."""
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "detail": detail,
        **({"errors": errors} if errors else {}),
    }


class ProblemFormatter(ExceptionFormatter):
    """The library sorts out the errors; this gives them the standard's shape."""

    def format_error_response(self, error_response: ErrorResponse) -> dict[str, Any]:
        if isinstance(self.exc, Refusals):
            return problem(self.exc.status_code, str(self.exc.detail), self.exc.errors)
        if isinstance(self.exc, ValidationError):
            errors = [{"pointer": pointer(error.attr), "detail": SAID_PLAINLY.get(error.code, str(error.detail))} for error in error_response.errors]
            return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "Some of the input is not valid.", errors)
        first = error_response.errors[0]
        return problem(self.exc.status_code, SAID_PLAINLY.get(first.code, str(first.detail)))


def pointer(attr: str | None) -> str:
    return "" if attr in (None, "non_field_errors") else f"/{attr}"


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """The answer to an exception in a view of the API."""
    if isinstance(error, DATABASE_AWAY):
        log.error("database_away", error=type(error).__name__)
        error = Away()
    response = standard_handler(error, cast("Any", context))
    if response is not None:
        response.content_type = MEDIA_TYPE
        response.status_code = response.data["status"]
        if isinstance(error, Away):
            response["Retry-After"] = "5"
    return response


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A path nobody serves."""
    if request.path.startswith(OURS):
        return JsonResponse(problem(404, "Not found."), status=404, content_type=MEDIA_TYPE)
    return HttpResponseNotFound("Not found.", content_type="text/plain")


def server_error(request: HttpRequest) -> HttpResponse:
    """A fault of ours, outside the API's views."""
    if request.path.startswith(OURS):
        return JsonResponse(problem(500, "Something went wrong here; it was logged."), status=500, content_type=MEDIA_TYPE)
    return HttpResponseServerError("Something went wrong here; it was logged.", content_type="text/plain")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A request Django itself refuses, such as one for a host that is not ours."""
    if request.path.startswith(OURS):
        return JsonResponse(problem(400, "The request is not valid."), status=400, content_type=MEDIA_TYPE)
    return HttpResponse("The request is not valid.", status=400, content_type="text/plain")
