"""Processes that never outlive the launcher, however it ends."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from pwd import struct_passwd
from types import TracebackType
from typing import IO, Self

from config.local import guardian

Process = subprocess.Popen[bytes]
PR_SET_PDEATHSIG = 1
LEFTOVER_SECONDS = 3.0
# Loaded here, because a child that has already become another user may not be able to read the library.
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


class Guard:
    """Starts each process in a group of its own and tells the guardian, which ends the groups when this process is gone.

    On Linux the kernel also signals each direct child itself: a second net, should the guardian be killed as well.
    """

    def __init__(self, *, remove: list[Path] | None = None) -> None:
        """Files and folders in `remove` go when the guard goes."""
        command = [sys.executable, "-I", "-S", guardian.__file__, *map(str, remove or [])]
        listening, self._pipe = os.pipe()
        self._guardian = subprocess.Popen(command, stdin=listening, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, cwd="/")
        os.close(listening)
        self._endings: dict[Process, signal.Signals] = {}  # of all processes that are not known to have ended

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """All that was started is gone, and so is the guardian."""
        for process in list(self._endings):
            self.end(process, patience=LEFTOVER_SECONDS)
        os.close(self._pipe)
        self._guardian.wait()

    def start(
        self,
        command: list[str],
        *,
        ending: signal.Signals = signal.SIGTERM,
        user: struct_passwd | None = None,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        stdin: int | IO[bytes] | None = subprocess.DEVNULL,
        stdout: int | IO[bytes] | None = None,
        stderr: int | IO[bytes] | None = None,
        pass_fds: tuple[int, ...] = (),
    ) -> Process:
        """Start the command; `ending` is the signal that asks it to end, `user` whom root starts it as."""
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=env,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            pass_fds=pass_fds,
            start_new_session=True,
            preexec_fn=self._registration(ending, os.getpid()),
            user=user and user.pw_uid,
            group=user and user.pw_gid,
            extra_groups=[] if user else None,
        )
        self._endings[process] = ending
        return process

    def end(self, process: Process, *, patience: float) -> None:
        """The process and its group are gone: asked first, and killed after `patience` seconds."""
        if process in self._endings:
            process.send_signal(self._endings[process])
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(patience)
            guardian.send(process.pid, signal.SIGKILL)
            process.wait()
            self.forget(process)

    def forget(self, process: Process) -> None:
        """What an ended process may have left of its group is gone too; from now on its number may be a stranger's."""
        guardian.send(process.pid, signal.SIGKILL)
        del self._endings[process]
        with contextlib.suppress(BrokenPipeError):
            os.write(self._pipe, f"end {process.pid}\n".encode())

    def _registration(self, ending: signal.Signals, launcher: int) -> Callable[[], None]:
        """What a child does between fork and exec, so that no moment is left in which nobody knows of it."""

        def register() -> None:
            os.write(self._pipe, f"start {os.getpid()} {ending.value}\n".encode())
            if _prctl:
                _prctl(PR_SET_PDEATHSIG, ending.value)
                if os.getppid() != launcher:  # gone before the kernel was asked
                    os._exit(1)

        return register


def wait_until(condition: Callable[[], bool], *, seconds: float) -> bool:
    """Whether the condition came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
