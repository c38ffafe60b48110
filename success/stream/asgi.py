"""The stream server: bare ASGI, no framework in the way. A page shows its ticket and is told what happens, for as long as it may stay."""

import asyncio
import json
import os
import random
import signal
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from success.stream.hub import AWAY, Hub  # noqa: E402
from success.stream.pages import Page  # noqa: E402
from success.stream.wire import frame, opening  # noqa: E402

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

STREAM: Headers = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]
COME_BACK = (2_000, 10_000)  # milliseconds: each page at a time of its own
_hub: asyncio.Task[Hub] | None = None


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        return
    if scope["path"] == "/livez":
        return await answer(send, HTTPStatus.OK, b"ok", [(b"content-type", b"text/plain")])
    if scope["path"] != "/stream/":
        return await refuse(send, HTTPStatus.NOT_FOUND, "Not found.")
    await stream(scope, receive, send)


async def stream(scope: Scope, receive: Receive, send: Send) -> None:
    hub = await the_hub()
    query = parse_qs(scope["query_string"].decode("latin-1"))
    try:
        ticket = await hub.let_in(query.get("ticket", [""])[0])
        if ticket is None:
            return await refuse(send, HTTPStatus.UNAUTHORIZED, "The ticket is not good: ask for a new one.", [(b"www-authenticate", b"Ticket")])
        page = Page(ticket, name="")
        try:
            await hub.join(page, since=since(scope, query))
            await send({"type": "http.response.start", "status": 200, "headers": STREAM})
            await hold(page, receive, send)
        finally:
            hub.leave(page)
    except AWAY:
        await refuse(send, HTTPStatus.SERVICE_UNAVAILABLE, "Come back a little later.", [(b"retry-after", b"5")])


async def hold(page: Page, receive: Receive, send: Send) -> None:
    """The page is written to until it goes or is sent away."""
    first = opening(retry=random.randint(*COME_BACK)) + frame("hello", "{}", place=page.place)  # noqa: S311
    page.writer = asyncio.create_task(write(page, first, send))
    gone = asyncio.create_task(until_gone(receive))
    await asyncio.wait({page.writer, gone}, return_when=asyncio.FIRST_COMPLETED)
    page.drop()
    gone.cancel()


async def write(page: Page, first: bytes, send: Send) -> None:
    await send({"type": "http.response.body", "body": first, "more_body": True})
    await page.write(send)
    await send({"type": "http.response.body", "body": b""})


async def until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def since(scope: Scope, query: dict[str, list[str]]) -> int | None:
    """The place that a page says it was told up to; what is no number is as if it had said nothing."""
    given = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"last-event-id"), None) or query.get("last_event_id", [""])[0]
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 19 else None


async def the_hub() -> Hub:
    """This process's, begun with its first page: then there is a loop. Without a database there is none yet."""
    global _hub
    if _hub is None or (_hub.done() and _hub.exception()):
        _hub = asyncio.create_task(begun())
    return await asyncio.shield(_hub)


async def begun() -> Hub:
    hub = Hub()
    await hub.start()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        # The loop has the server's own handler of it too, which waits until the pages have gone.
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(hub.end))
    return hub


async def refuse(send: Send, status: HTTPStatus, detail: str, more: Headers | None = None) -> None:
    """A problem (RFC 9457)."""
    body = {"type": "about:blank", "title": status.phrase, "status": int(status), "detail": detail}
    await answer(send, status, json.dumps(body).encode(), [(b"content-type", b"application/problem+json"), *(more or [])])


async def answer(send: Send, status: HTTPStatus, body: bytes, headers: Headers) -> None:
    await send({"type": "http.response.start", "status": int(status), "headers": [*headers, (b"content-length", str(len(body)).encode())]})
    await send({"type": "http.response.body", "body": body})
