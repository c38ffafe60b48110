"""Logs: one line of JSON each, personal data taken out."""

import logging
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import structlog
from django.http import HttpRequest, HttpResponse
from structlog.typing import EventDict

PERSONAL = {
    "name", "email", "phone", "traits", "properties", "body", "authorization", "cookie", "password", "token",
    "user_id", "userid", "external_id", "actor", "args", "kwargs",
}  # fmt: skip
ADDRESS = re.compile(r"[^\s@<>\"(),;:=/]{1,64}@[^\s@<>\"(),;:/]{1,255}")
SECRET = re.compile(r"\bcs_\w{8,}|\beyJ[\w-]{8,}(?:\.[\w-]*){0,2}|(?<=//)[^/\s:@]*:[^/\s@]*(?=@)")
IN_PATH = re.compile(r"(?<=/suppliers/).+|(?<=/welcome/).+|(?<=\?)[^\s\"']+=[^\s\"']*")  # an id may hold anything, so all that follows goes
QUOTED = re.compile(r"(?:\"|(?<!\w)').*", re.S)  # a value may have quotes of its own, so all from the first on; in sql/fold.sql too
PLAIN = (int, float, date, timedelta, UUID, type(None))


def redact(_: Any, __: str, event: EventDict) -> EventDict:
    """Takes personal fields, addresses, ids in paths, keys, tokens and passwords out of an entry."""
    return {
        key: "[redacted]" if key.lower() in PERSONAL else clean(without_values(value) if key in ("reason", "error") and isinstance(value, str) else value)
        for key, value in event.items()
    }


def reason_of(error: BaseException) -> str:
    """What is wrong, to the first value it quotes, and the table and constraint the database names: fit to be kept."""
    return " ".join([str(clean(without_values(str(error)).partition("\n")[0])), *names_of(error.__cause__, "table_name", "constraint_name")])


def names_of(error: BaseException | None, *parts: str) -> list[str]:
    """What the database names by itself, where the error is its."""
    diag = getattr(error, "diag", None)
    return [name for part in parts if (name := getattr(diag, part, None))]


def without_values(text: str) -> str:
    return QUOTED.sub('"[value]"', text)


def without_addresses(text: str) -> str:
    return ADDRESS.sub("[address]", text)


def clean(value: Any) -> Any:
    """A value as it may be logged; of an object, whose words are not known, its class."""
    if isinstance(value, str):
        return IN_PATH.sub("[id]", without_addresses(SECRET.sub("[secret]", value)))
    if isinstance(value, dict):
        return redact(None, "", value)
    if isinstance(value, list | tuple | set | frozenset):
        return [clean(one) for one in value]
    return value if isinstance(value, PLAIN) else f"<{type(value).__name__}>"


def without_words(_: Any, __: str, event: EventDict) -> EventDict:
    """Of an error its frames and classes. Its words may quote a row or what was sent: they go, out of the entry's own text too."""
    info = event.pop("exc_info", None)
    error = info if isinstance(info, BaseException) else (sys.exc_info() if info is True else info or (None, None))[1]
    if error is None:
        return event
    chain = list(causes(error))
    words = sorted({word for one in chain for word in (str(one), repr(one)) if word}, key=len, reverse=True)
    text = str(event.get("event", ""))
    for word in words:
        text = text.replace(word, "[words]")
    event["event"] = text.partition("\n")[0]
    event["exception"] = "\n".join(line for one in reversed(chain) for line in described(one))
    return event


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and those it came from, the last first."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def described(error: BaseException) -> Iterator[str]:
    """Frames, class, and what the database names by itself: state, table, constraint."""
    yield from (f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in traceback.extract_tb(error.__traceback__))
    yield " ".join([f"{type(error).__module__}.{type(error).__qualname__}", *names_of(error, "sqlstate", "table_name", "constraint_name")])


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
            without_words,
            redact,
            structlog.processors.JSONRenderer(default=str),
        ],
    )


def bind_request(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: every line logged during a request carries its id."""

    def middleware(request: HttpRequest) -> HttpResponse:
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=str(uuid4()))
        return get_response(request)

    return middleware
