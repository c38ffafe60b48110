"""The stream server: bare ASGI, no framework in the way. A page shows its ticket and is told what happens, for as long as it may stay."""

import asyncio
import logging.config
import os
import random
import signal
from http import HTTPStatus
from urllib.parse import parse_qs

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.conf import settings

from success.limits import address_of
from success.stream.answers import STREAM, VERBS, Headers, Receive, Scope, Send, answer, header, permit, refuse, shared
from success.stream.hub import AWAY, Hub
from success.stream.pages import Page
from success.stream.wire import opening

COME_BACK = (2_000, 10_000)  # milliseconds: each page at a time of its own
LATER: Headers = [(b"retry-after", b"5")]
LONGEST = 128  # characters of a ticket
AGAIN = 1.0  # seconds

logging.config.dictConfig(settings.LOGGING)
_hub: asyncio.Task[Hub] | None = None


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Routes by path and verb."""
    if scope["type"] != "http":
        return None
    path, verb = scope["path"], scope["method"]
    if path not in ("/livez", "/stream/"):
        return await refuse(scope, send, HTTPStatus.NOT_FOUND, "Not found.")
    if verb == "OPTIONS":
        return await permit(scope, send)
    if verb not in ("GET", "HEAD"):
        return await refuse(scope, send, HTTPStatus.METHOD_NOT_ALLOWED, "The method is not allowed here.", [(b"allow", VERBS)])
    if path == "/livez":
        return await answer(scope, send, HTTPStatus.OK, b"ok", [(b"content-type", b"text/plain")])
    if verb == "HEAD":  # takes no ticket
        return await answer(scope, send, HTTPStatus.OK, b"", STREAM[:1])
    try:
        return await stream(scope, receive, send, await the_hub())
    except AWAY:  # before the first byte: once a page is open, nothing is asked for it here
        return await refuse(scope, send, HTTPStatus.SERVICE_UNAVAILABLE, "The stream is away. Come back a little later.", LATER)


async def stream(scope: Scope, receive: Receive, send: Send, hub: Hub) -> None:
    """A good ticket opens the stream."""
    if hub.full:  # before the ticket is used
        return await refuse(scope, send, HTTPStatus.SERVICE_UNAVAILABLE, "Too many streams are open here. Come back a little later.", LATER)
    text, since = asked(scope)
    with hub.coming():
        ticket = await hub.let_in(text) if 0 < len(text) <= LONGEST else None
    if ticket is None:
        return await turn_away(scope, send, hub)
    page = Page(ticket)
    try:
        await hub.join(page, since=since)
        await send({"type": "http.response.start", "status": 200, "headers": [*STREAM, *shared(scope)]})
        await hold(page, receive, send)
    finally:
        hub.leave(page)


async def turn_away(scope: Scope, send: Send, hub: Hub) -> None:
    """One answer for all causes, and few tries a minute for one address."""
    address = address_of(header(scope, b"x-forwarded-for"), scope["client"][0] if scope.get("client") else "", settings.NUM_PROXIES)
    if wait := await hub.count_failure(address):
        return await refuse(scope, send, HTTPStatus.TOO_MANY_REQUESTS, "Too many tickets that are not good.", [(b"retry-after", str(wait).encode())])
    await refuse(scope, send, HTTPStatus.UNAUTHORIZED, "The ticket is not good, or was used. Ask for a new one.", [(b"www-authenticate", b"Ticket")])


async def hold(page: Page, receive: Receive, send: Send) -> None:
    """The page is written to until it goes or is sent away. A writer that cannot go on is left behind."""
    over: asyncio.Future[None] = asyncio.get_running_loop().create_future()  # asyncio.wait would hold two kilobytes for each page
    page.writer = asyncio.create_task(page.write(opening(retry=random.randint(*COME_BACK)), send))  # noqa: S311
    gone = asyncio.create_task(until_gone(receive))
    for one in (page.writer, gone):
        one.add_done_callback(lambda _: None if over.done() else over.set_result(None))
    await over
    page.drop()
    gone.cancel()


async def until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def asked(scope: Scope) -> tuple[str, int | None]:
    """The ticket that a page shows, and the place that it says it was told up to; what is no number is as if it had said nothing."""
    query = parse_qs(scope["query_string"].decode("latin-1"))
    last = header(scope, b"last-event-id") or query.get("last_event_id", [""])[0]
    return query.get("ticket", [""])[0], int(last) if last.isascii() and last.isdecimal() and len(last) < 19 else None


async def the_hub() -> Hub:
    """This process's, begun with its first page: then there is a loop. Without a database there is none yet."""
    global _hub
    if _hub is None or (_hub.done() and _hub.exception()):
        _hub = asyncio.create_task(begun())
    return await asyncio.shield(_hub)


async def begun() -> Hub:
    hub = Hub()
    try:
        await hub.start()
    except AWAY:
        await hub.close()
        raise
    loop = asyncio.get_running_loop()

    def end(number: int) -> None:
        """Said once more each second: the server's own handler, which waits until the pages have gone, may miss it where many go at once (its pipe is full)."""
        hub.end()
        loop.call_later(AGAIN, signal.raise_signal, number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: None if loop.is_closed() else loop.call_soon_threadsafe(end, number))
    return hub
