"""PostgreSQL and Redis for a command: those the environment names, else embedded ones of our own."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from config.local.output import keep_last_log
from config.local.postgres import Postgres, Tuning
from config.local.processes import Guard
from config.local.servers import Server
from config.local.valkey import Valkey


@dataclass
class Backing:
    database_url: str
    redis_url: str
    servers: list[Server] = field(default_factory=list)  # the embedded ones


@contextlib.contextmanager
def backing(*, guard: Guard, home: Path, logs: Path, tuning: Tuning) -> Iterator[Backing]:
    """Both answer. The embedded ones keep their data in `home` and stop at the end."""
    given = Backing(os.environ.get("DATABASE_URL", ""), os.environ.get("REDIS_URL", ""))
    try:
        if not given.database_url:
            postgres = Postgres(guard=guard, folder=home / "postgres", log=logs / "postgres.log", tuning=tuning)
            given.database_url = start(postgres, given.servers)
        if not given.redis_url:
            valkey = Valkey(guard=guard, folder=home / "valkey", log=logs / "valkey.log", durable=tuning is not Tuning.TEST)
            given.redis_url = start(valkey, given.servers)
        yield given
    finally:
        for server in reversed(given.servers):
            server.stop()


def start(server: Server, started: list[Server]) -> str:
    keep_last_log(server.log)
    started.append(server)  # before it is started: a start cut short has to be stopped too
    server.start()
    return server.url
