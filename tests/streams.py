"""Stream servers and dispatchers of our own, and pages that listen to them over real sockets."""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import requests

from tests.server import ROOT, database_url, free_port, wait_for

Process = subprocess.Popen[bytes]


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "tests.settings", "PATH": f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}", **more}


def start(command: list[str], **more: str) -> Process:
    return subprocess.Popen(command, env=environment(**more), cwd=ROOT, start_new_session=True)


def end(process: Process) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def dispatcher(**more: str) -> Iterator[Process]:
    process = start([sys.executable, "manage.py", "dispatch"], **more)
    try:
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
    data: object
    at: float


class Listener:
    """A page: keeps what it hears, with the time at which it heard it."""

    def __init__(self, address: str, ticket: str, *, last: int | None = None) -> None:
        headers = {} if last is None else {"Last-Event-ID": str(last)}
        self.answer = requests.get(address, params={"ticket": ticket}, headers=headers, stream=True, timeout=60)
        self.heard: list[Heard] = []
        self.retry: int | None = None
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def listen(self) -> None:
        fields: dict[str, str] = {}
        with contextlib.suppress(requests.RequestException, AttributeError, ValueError, OSError):
            for line in self.answer.iter_lines(chunk_size=1, decode_unicode=False):
                name, _, value = line.decode().partition(": ")
                if line:
                    fields[name] = value
                    continue
                self.retry = int(fields.pop("retry", self.retry or 0)) or self.retry
                if "event" in fields:
                    place = int(fields["id"]) if "id" in fields else None
                    self.heard.append(Heard(place, fields["event"], json.loads(fields["data"]), time.time()))
                fields = {}
        self.ended.set()

    @property
    def last(self) -> int | None:
        return next((one.id for one in reversed(self.heard) if one.id is not None), None)

    def of(self, *events: str) -> list[Heard]:
        return [one for one in list(self.heard) if one.event in events]

    def wait(self, event: str, n: int = 1, *, seconds: float = 10) -> list[Heard]:
        """What it heard of an event, once that is as many."""
        until = time.monotonic() + seconds
        while len(self.of(event)) < n:
            assert time.monotonic() < until, f"{len(self.of(event))} of {n} {event}; heard {self.heard}"
            time.sleep(0.005)
        return self.of(event)

    def close(self) -> None:
        self.answer.close()
