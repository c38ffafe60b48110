"""What the embedded PostgreSQL and Valkey have in common: a folder, a port, and a start that waits for an answer."""

import os
import signal
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from hashlib import sha256
from pathlib import Path
from typing import IO, ClassVar

from config.local import checkout
from config.local.checkout import Problem
from config.local.ports import free_port
from config.local.processes import Guard, Process, wait_until

START_TRIES = 3  # another process may take the port between our look and the server's
START_SECONDS = 60.0
GUARDIAN_SECONDS = 10.0  # how long a killed launcher's guardian may still be at work
STOP_SECONDS = 15.0


class Server(ABC):
    """A server of this checkout. Two never open one folder, nor may a new one meet remains of a killed one."""

    name: ClassVar[str]
    ending: signal.Signals = signal.SIGTERM

    def __init__(self, *, guard: Guard, folder: Path, log: Path) -> None:
        self.guard, self.folder, self.log = guard, folder, log
        self.port = 0
        self.process: Process | None = None

    @property
    @abstractmethod
    def url(self) -> str: ...

    @property
    @abstractmethod
    def pid_file(self) -> Path: ...

    @abstractmethod
    def prepare(self) -> None:
        """The folder is ready for the server; runs while this process holds it."""

    @abstractmethod
    def launch(self, *, output: IO[bytes], pass_fds: tuple[int, ...]) -> Process: ...

    @abstractmethod
    def answers(self) -> bool: ...

    def start(self) -> None:
        """The server answers: on a free port at first, on the same one whenever it is started again."""
        self.folder.mkdir(parents=True, exist_ok=True)
        folder_lock = self._claim_folder()
        try:
            self.prepare()
            ports = [self.port] if self.port else [free_port() for _ in range(START_TRIES)]
            if not any(self._try(port, folder_lock) for port in ports):
                raise Problem(f"{self.name} does not start. The end of {self.log}:\n{tail(self.log)}")
        finally:
            os.close(folder_lock)  # the server has its own copy, which ends with the last of its processes

    def stop(self) -> None:
        if self.process:
            self.guard.end(self.process, patience=STOP_SECONDS)
            self.process = None

    def _try(self, port: int, folder_lock: int) -> bool:
        self.port = port
        with self.log.open("ab") as output:
            self.process = process = self.launch(output=output, pass_fds=(folder_lock,))
        ended_or_answers = wait_until(lambda: process.poll() is not None or self.answers(), seconds=START_SECONDS)
        if ended_or_answers and process.poll() is None:
            return True
        self.guard.end(process, patience=0)
        return False

    def _claim_folder(self) -> int:
        """Lock the folder; the server of a killed launcher holds it a moment longer, or until it is killed here."""
        for patience in (GUARDIAN_SECONDS, STOP_SECONDS):
            deadline = time.monotonic() + patience
            while time.monotonic() < deadline:
                if (descriptor := checkout.lock(self.folder / "lock")) is not None:
                    return descriptor
                time.sleep(0.05)
            self._kill_holder()
        raise Problem(f"{self.folder} is still in use by another {self.name}.")

    def _kill_holder(self) -> None:
        """The lock is held, so the pid file is not stale: it names the holder."""
        try:
            holder = int(self.pid_file.read_text().split()[0])
            os.kill(holder, signal.SIGKILL)
        except (OSError, ValueError, IndexError):
            return


def data_home() -> Path:
    """Where the servers keep their data: `.local`, or for root, whose PostgreSQL runs as another user, where that user gets to."""
    if os.geteuid() != 0 or others_reach(checkout.ROOT):
        return checkout.LOCAL
    parent = Path("/var/lib") if os.access("/var/lib", os.W_OK) else Path(tempfile.gettempdir())
    home = parent / f"customer-success-{sha256(str(checkout.ROOT).encode()).hexdigest()[:12]}"
    home.mkdir(mode=0o711, exist_ok=True)
    if home.is_symlink() or home.stat().st_uid != 0:
        raise Problem(f"{home} belongs to another user; it is where root keeps the data of {checkout.ROOT}.")
    home.chmod(0o711)
    return home


def others_reach(path: Path) -> bool:
    """Whether any user gets through all parent folders, and may read and enter or run the path itself."""
    return path.stat().st_mode & 0o005 == 0o005 and all(parent.stat().st_mode & 0o001 for parent in path.parents)


def tail(log: Path, lines: int = 12) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def output_of(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
