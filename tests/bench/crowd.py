"""Many open pages in one process: raw sockets and one thread that reads them all."""

import selectors
import socket
import threading
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

from success.stream import tickets
from success.stream.tickets import Ticket, digest_of

SAID = (b"event: celebration", b"event: notification")


def ticket(supplier: int) -> str:
    """A ticket for the page of a supplier of the population, without the way over HTTP."""
    name = f"supplier-{supplier}"
    return tickets.issue(Ticket(supplier, digest_of(name), digest_of(f"{name} bench {time.time_ns()}"), until=time.time() + 3600))


class Crowd:
    """Pages of these suppliers, one each. `heard` has for each what it was told, as instants."""

    def __init__(self, address: str, suppliers: Sequence[int], *, bare: bool = False) -> None:
        self.url = urlsplit(address)
        self.heard: dict[int, list[float]] = {supplier: [] for supplier in suppliers}
        self.selector = selectors.DefaultSelector()
        self.ready = 0
        self.closing = False
        self.sockets = [self.open(supplier, "" if bare else f"?ticket={ticket(supplier)}") for supplier in suppliers]
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()
        wait(lambda: self.ready == len(self.sockets), f"not all of {len(self.sockets)} pages open")

    def open(self, supplier: int, query: str) -> socket.socket:
        page = socket.create_connection((self.url.hostname, self.url.port), timeout=10)
        page.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        page.sendall(f"GET {self.url.path}{query} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
        self.selector.register(page, selectors.EVENT_READ, supplier)
        return page

    def listen(self) -> None:
        began: set[int] = set()
        while not self.closing:
            for key, _ in self.selector.select(timeout=0.2):
                said, now = key.fileobj.recv(65536), time.perf_counter()  # type: ignore[union-attr]
                if not said:
                    self.selector.unregister(key.fileobj)
                    continue
                if key.data not in began and b"event: hello" in said:
                    began.add(key.data)
                    self.ready = len(began)
                self.heard[key.data].extend([now] * sum(said.count(word) for word in SAID))

    def count(self) -> int:
        return sum(map(len, self.heard.values()))

    def close(self) -> None:
        self.closing = True
        self.thread.join()
        for page in self.sockets:
            page.close()
        self.selector.close()


def wait(condition: object, otherwise: str, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        if time.monotonic() > until:
            raise RuntimeError(otherwise)
        time.sleep(0.0005)
