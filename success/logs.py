"""Logs: one line of JSON each, personal data taken out."""

import logging
import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import structlog
from django.http import HttpRequest, HttpResponse
from structlog.typing import EventDict

PERSONAL = {
    "name",
    "email",
    "phone",
    "traits",
    "properties",
    "body",
    "authorization",
    "password",
    "token",
    "user_id",
    "userid",
    "external_id",
}
ADDRESS = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
SECRET = re.compile(r"\bcs_\w{8,}|\beyJ[\w-]{8,}(?:\.[\w-]*){0,2}|(?<=//)[^/\s:@]*:[^/\s@]*(?=@)")


def redact(_: Any, __: str, event: EventDict) -> EventDict:
    """Takes personal fields, addresses, keys, tokens and passwords out of an entry."""
    return {key: "[redacted]" if key.lower() in PERSONAL else clean(value) for key, value in event.items()}


def clean(value: Any) -> Any:
    if isinstance(value, str):
        return SECRET.sub("[secret]", ADDRESS.sub("[address]", value))
    if isinstance(value, dict):
        return redact(None, "", value)
    return [clean(one) for one in value] if isinstance(value, list | tuple) else value


def without_values(_: Any, __: str, event: EventDict) -> EventDict:
    """Of a traceback the frames and the class of each error; messages of the database quote the row."""
    if text := event.get("exception"):
        event["exception"] = "\n".join(line for line in str(text).splitlines() if not line.startswith("DETAIL:"))
    return event


def formatter() -> logging.Formatter:
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            without_values,
            redact,
            structlog.processors.JSONRenderer(),
        ],
    )


def bind_request(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: every line logged during a request carries its id."""

    def middleware(request: HttpRequest) -> HttpResponse:
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=str(uuid4()))
        return get_response(request)

    return middleware
