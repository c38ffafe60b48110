"""What the programs write: on the terminal behind each one's name, and in a log each."""

import os
import selectors
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO

COLOURS = (36, 35, 33, 32, 34, 31)  # cyan, magenta, yellow, green, blue, red
CHUNK = 65_536


@dataclass
class Channel:
    name: str
    log: IO[bytes]
    rest: bytes = b""  # the beginning of a line whose end has not come yet


class Output:
    """Copies the programs' output. One thread: it copies only while it is pumped."""

    def __init__(self, names: list[str]) -> None:
        self._width = max(map(len, names), default=0)
        self._colours = dict(zip(names, COLOURS * len(names), strict=False)) if in_colour() else {}
        self._channels = selectors.DefaultSelector()

    def attach(self, name: str, stream: IO[bytes], log: Path) -> None:
        """Copy the stream from now on, until it ends."""
        self._channels.register(stream, selectors.EVENT_READ, Channel(name, log.open("ab", buffering=0)))

    def pump(self, seconds: float) -> None:
        """Copy what has come; wait for it, but no longer than given."""
        for key, _ in self._channels.select(seconds):
            channel: Channel = key.data
            chunk = os.read(key.fd, CHUNK)
            if chunk:
                channel.log.write(chunk)
                *lines, channel.rest = (channel.rest + chunk).split(b"\n")
            else:
                lines, channel.rest = [channel.rest] if channel.rest else [], b""
                self._channels.unregister(key.fileobj)
                channel.log.close()
            for line in lines:
                self.line(channel.name, line.decode(errors="replace"))

    def line(self, name: str, text: str) -> None:
        label = f"{name:<{self._width}} |"
        if colour := self._colours.get(name):
            label = f"\033[{colour}m{label}\033[0m"
        print(label, text, flush=True)


def in_colour() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def keep_last_log(log: Path) -> None:
    """The log starts anew, and that of the run before is kept beside it."""
    if log.exists():
        log.replace(log.with_suffix(".before.log"))
