"""The stream server: bare ASGI, no framework in the way. For now it only says that it is there."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

NOT_YET = b'{"type":"about:blank","title":"Not Found","status":404,"detail":"Not found."}'


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers /livez; everything else is not found yet."""
    if scope["type"] != "http":
        return
    alive = scope["path"] == "/livez"
    body, kind = (b"ok", b"text/plain") if alive else (NOT_YET, b"application/problem+json")
    await send(
        {
            "type": "http.response.start",
            "status": 200 if alive else 404,
            "headers": [(b"content-type", kind), (b"content-length", str(len(body)).encode())],
        }
    )
    await send({"type": "http.response.body", "body": body})
