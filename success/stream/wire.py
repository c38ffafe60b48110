"""What dispatcher and stream servers say to each other through Redis, and what a server says to a page."""

import msgspec

PUSHES = "stream:pushes"  # channels
GOODBYES = "stream:goodbyes"
SERVERS = "stream:servers"  # a hash: by server how many pages it has open, and when it said so


class Item(msgspec.Struct, frozen=True, array_like=True):
    """One push with its place; `data` is JSON as the database wrote it, so without a line break."""

    place: int
    supplier: int
    event: str
    data: str

    def frame(self) -> bytes:
        return frame(self.event, self.data, place=self.place)


class Batch(msgspec.Struct, frozen=True):
    """All that came after `prev`, up to `last`. Who has not heard of `prev` has missed something."""

    prev: int
    last: int
    items: list[Item] = []


# A comment, as the standard advises, and an event: a page hears no comments, and is to know a dead connection by its silence.
HEARTBEAT = b": still here\nevent: beat\ndata: {}\n\n"


def frame(event: str, data: str, *, place: int | None = None) -> bytes:
    """One event of the stream (HTML, 9.2)."""
    head = "" if place is None else f"id: {place}\n"
    return f"{head}event: {event}\ndata: {data}\n\n".encode()


def opening(*, retry: int) -> bytes:
    """The first bytes of a stream: how many milliseconds a page waits before it comes back."""
    return f"retry: {retry}\n\n".encode()


def goodbye(reason: str) -> bytes:
    return frame("bye", f'{{"reason": "{reason}"}}')
