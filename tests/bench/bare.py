"""What P10 compares an open page with: the least ASGI application that holds a stream open, which knows nobody and says nothing."""

from typing import Any

HEADERS = [(b"content-type", b"text/event-stream")]


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Opens the stream and waits for the page to go."""
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": b"id: 0\nevent: hello\ndata: {}\n\n", "more_body": True})
    while (await receive())["type"] != "http.disconnect":
        pass
