"""What the stream server answers before, or instead of, a stream."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any

from django.conf import settings

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

STREAM: Headers = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store"), (b"x-accel-buffering", b"no")]
VERBS = b"GET, HEAD, OPTIONS"
LONG = b"600"  # seconds for which a browser need not ask again whether it may


def header(scope: Scope, name: bytes) -> str:
    return ", ".join(value.decode("latin-1") for key, value in scope["headers"] if key == name)  # a proxy may have added a line of its own


def shared(scope: Scope) -> Headers:
    """Whether a page of this origin may read the answer: the product's may."""
    origin = header(scope, b"origin")
    allowed = [(b"access-control-allow-origin", origin.encode("latin-1"))] if origin in settings.PRODUCT_ORIGINS else []
    return [(b"vary", b"origin"), *allowed]


async def refuse(scope: Scope, send: Send, status: HTTPStatus, detail: str, more: Headers | None = None) -> None:
    """A problem (RFC 9457)."""
    body = {"type": "about:blank", "title": status.phrase, "status": int(status), "detail": detail}
    await answer(scope, send, status, json.dumps(body).encode(), [(b"content-type", b"application/problem+json"), *(more or [])])


async def answer(scope: Scope, send: Send, status: HTTPStatus, body: bytes, headers: Headers) -> None:
    length = [] if status == HTTPStatus.NO_CONTENT else [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": int(status), "headers": [*headers, *length, *shared(scope), (b"cache-control", b"no-store")]})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


async def permit(scope: Scope, send: Send) -> None:
    """A browser may ask first (CORS)."""
    may: Headers = [(b"access-control-allow-methods", VERBS), (b"access-control-allow-headers", b"last-event-id, cache-control")]
    await answer(scope, send, HTTPStatus.NO_CONTENT, b"", [(b"allow", VERBS), *may, (b"access-control-max-age", LONG)])
