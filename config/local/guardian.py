"""Outlives the launcher by some seconds, to end what the launcher started.

The launcher holds the other end of standard input and writes `start GROUP SIGNAL` and `end GROUP` to it. When it ends, in
whatever way, the kernel closes that end: the files named as arguments go at once, each process group still listed is asked
to end, then killed, and last the folders named as arguments go.

It knows only the standard library and stays alone in a session of its own, out of reach of Ctrl-C.
"""

import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path

PATIENCE = 5.0  # seconds between asking and killing


def main(doomed: list[Path]) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups = listen()
    remove(path for path in doomed if not path.is_dir())
    end(groups)
    remove(path for path in doomed if path.is_dir())


def listen() -> dict[int, int]:
    """The process groups that are left when the launcher is gone, and the signal each wants."""
    groups = {}
    for line in sys.stdin:
        match line.split():
            case ["start", group, number]:
                groups[int(group)] = int(number)
            case ["end", group]:
                groups.pop(int(group), None)
    return groups


def end(groups: dict[int, int]) -> None:
    deadline = time.monotonic() + PATIENCE
    for group, number in groups.items():
        send(group, number)
    while any(is_alive(group) for group in groups) and time.monotonic() < deadline:
        time.sleep(0.05)
    for group in groups:
        send(group, signal.SIGKILL)


def send(group: int, number: int) -> bool:
    """Whether the group had a process to signal. A zombie that nobody waits for counts as one on Linux, not on macOS."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def is_alive(group: int) -> bool:
    return send(group, 0)


def remove(paths: Iterable[Path]) -> None:
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                path.unlink()


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
