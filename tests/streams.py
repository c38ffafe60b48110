"""Stream servers and dispatchers of our own, and pages that listen to them over real sockets."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from socket import SHUT_RDWR
from typing import Any
from urllib.parse import urlencode, urlsplit

import psycopg

from success.models import Supplier
from success.stream.pushes import Said, push_all
from tests import callers
from tests.callers import Api
from tests.server import ROOT, database_url, free_port, wait_for

TICKETS = "/api/v1/stream-tickets/"
Process = subprocess.Popen[bytes]
OPEN: list["Listener"] = []


def start(command: list[str], **more: str) -> Process:
    env = {**os.environ, "DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "tests.settings", **more}
    return subprocess.Popen(command, env=env, cwd=ROOT, start_new_session=True)


def end(process: Process) -> None:
    """As its host would end it; it has ten seconds."""
    process.terminate()
    try:
        assert process.wait(10) is not None
    finally:
        kill(process)


def kill(process: Process) -> None:
    """Gone at once, with all it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def dispatchers() -> int:
    with psycopg.connect(database_url()) as connection:
        found = connection.execute("select count(*) from pg_stat_activity where application_name = 'dispatcher' and datname = current_database()").fetchone()
    return int(found[0]) if found else 0


@contextmanager
def dispatcher(**more: str) -> Iterator[Process]:
    """One that has begun: it leads, or stands by."""
    before = dispatchers()
    process = start([sys.executable, "manage.py", "dispatch"], **more)
    try:
        wait_until(lambda: dispatchers() > before, seconds=60)
        yield process
    finally:
        end(process)


@contextmanager
def server(*, port: int = 0, **more: str) -> Iterator[tuple[str, Process]]:
    """The address of a stream, and the process of its server, started as the Procfile does."""
    port = port or free_port()
    command = next(line for line in (ROOT / "Procfile").read_text().splitlines() if line.startswith("stream:")).partition(":")[2]
    process = start(["/bin/sh", "-c", command], STREAM_PORT=str(port), **more)
    try:
        wait_for(f"http://127.0.0.1:{port}/livez", process)
        yield f"http://127.0.0.1:{port}/stream/", process
    finally:
        end(process)


@dataclass(frozen=True)
class Heard:
    id: int | None
    event: str
    data: Any
    at: float


class Listener:
    """A page: keeps what it hears, with the time at which it heard it."""

    def __init__(self, address: str, ticket: str, *, last: int | str | None = None, how: str = "header", **headers: str) -> None:
        url = urlsplit(address)
        query = {"ticket": ticket, **({"last_event_id": str(last)} if last is not None and how == "parameter" else {})}
        known = {"Last-Event-ID": str(last)} if last is not None and how == "header" else {}
        connection = HTTPConnection(str(url.hostname), url.port, timeout=60)
        connection.request("GET", f"{url.path}?{urlencode(query)}", headers={**headers, **known})
        self.socket = connection.sock
        OPEN.append(self)
        self.answer = connection.getresponse()
        self.status = self.answer.status
        self.heard: list[Heard] = []
        self.retry: int | None = None
        self.beats = 0
        self.ended = threading.Event()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self) -> None:
        fields: dict[str, str] = {}
        with contextlib.suppress(HTTPException, OSError, ValueError, AttributeError):
            while raw := self.answer.readline():
                line = raw.decode().rstrip("\n")
                name, _, value = line.partition(": ")
                if line:
                    fields[name] = value
                    continue
                self.take(fields)
                fields = {}
        self.answer.close()
        self.socket.close()
        self.ended.set()

    def take(self, fields: dict[str, str]) -> None:
        self.beats += "" in fields
        if "retry" in fields:
            self.retry = int(fields["retry"])
        if "event" in fields:
            place = int(fields["id"]) if "id" in fields else None
            self.heard.append(Heard(place, fields["event"], json.loads(fields["data"]), time.time()))

    @property
    def last(self) -> int | None:
        return next((one.id for one in reversed(self.heard) if one.id is not None), None)

    def of(self, *events: str) -> list[Heard]:
        return [one for one in list(self.heard) if one.event in events]

    def numbers(self) -> list[int]:
        """Of what was said to it, the numbers that the test gave it."""
        return [one.data["n"] for one in self.of("celebration", "notification")]

    def wait(self, event: str, n: int = 1, *, seconds: float = 15) -> list[Heard]:
        """What it heard of an event, once that is as many."""
        until = time.monotonic() + seconds
        while len(self.of(event)) < n:
            assert time.monotonic() < until, f"{len(self.of(event))} of {n} {event}; heard {self.heard[-5:]}"
            time.sleep(0.002)
        return self.of(event)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.socket.shutdown(SHUT_RDWR)


def close_all() -> None:
    while OPEN:
        page = OPEN.pop()
        page.close()
        page.ended.wait(5)


def listening(address: str, ticket: str, **more: Any) -> Listener:
    """A page that is told all from now on."""
    page = Listener(address, ticket, **more)
    page.wait("hello")
    return page


# ---------------------------------------------------------------- what is said


def ticket(name: str = "sarah", **claims: Any) -> str:
    answer = Api(callers.token(name, **claims)).post(TICKETS, {})
    assert answer.status_code == 201, answer.content
    return str(answer.json()["ticket"])


def say(supplier: Supplier, *numbers: int, **more: Any) -> None:
    more = {"event": "celebration", **more}
    push_all([Said(supplier=supplier.pk, key=f"k{n}", data={"n": n}, **more) for n in numbers], at=datetime.now(UTC))


def wait_until(condition: Callable[[], bool], seconds: float = 15) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)
