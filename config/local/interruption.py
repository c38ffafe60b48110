"""Being asked to stop: Ctrl-C, a signal, or the end of the `make` that started us."""

import os
import signal
import time
from types import FrameType, TracebackType
from typing import Self

WATCH_EVERY = 0.5  # seconds
DOUBLE_CLICK = 1.0  # seconds within which two signals are one: a group's and the one `make` passes on


class Stopped(BaseException):
    """Someone asked the launcher to stop."""

    def __init__(self, number: int) -> None:
        self.exit_code = 128 + number


class Interruption:
    """Raises Stopped once, at the first request, and afterwards remembers whether there was a second."""

    def __init__(self) -> None:
        self.hurried = False
        self._first: float | None = None
        self._parent = os.getppid()

    def __enter__(self) -> Self:
        """Handlers of our own: a script's background job inherits SIGINT ignored."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._receive)
        if "MAKELEVEL" in os.environ:  # `kill -9` of make tells nobody, so look whether it is still our parent
            signal.signal(signal.SIGALRM, self._look_for_parent)
            signal.setitimer(signal.ITIMER_REAL, WATCH_EVERY, WATCH_EVERY)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """No alarm is left that would end the interpreter while it shuts down."""
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _receive(self, number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._first is None:
            self._first = now
            raise Stopped(number)
        self.hurried = self.hurried or now - self._first > DOUBLE_CLICK

    def _look_for_parent(self, _number: int, frame: FrameType | None) -> None:
        if os.getppid() != self._parent:
            signal.setitimer(signal.ITIMER_REAL, 0)
            self._receive(signal.SIGTERM, frame)
