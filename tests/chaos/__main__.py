"""`python -m tests.chaos [--short] [--break NAME ..]`: servers of its own, the chaos beside them, a table, and CHAOS.md. Ends with 1 if anything is broken."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from config.local import environment
from config.local.embedded import start
from config.local.interruption import Interruption, Stopped
from config.local.postgres import Postgres, Tuning
from config.local.processes import Guard
from config.local.servers import Server, data_home
from config.local.valkey import Valkey
from tests.chaos import report

AWAY = 1.0  # seconds that PostgreSQL stays down


@contextmanager
def servers(*, hold: str) -> Iterator[tuple[Postgres, dict[str, str], Guard]]:
    """PostgreSQL and Valkey, gone afterwards with all they hold; what is committed is with the system, so that a stop at once takes nothing."""
    home = Path(tempfile.mkdtemp(prefix="chaos-", dir=data_home()))
    home.chmod(0o711)
    with Guard(remove=[home]) as guard:
        postgres = Postgres(guard=guard, folder=home / "postgres", log=home / "postgres.log", tuning=Tuning.CHAOS)
        valkey = Valkey(guard=guard, folder=home / "valkey", log=home / "valkey.log", durable=True)
        started: list[Server] = []
        try:
            settings = environment.local_settings(database_url=start(postgres, started), redis_url=start(valkey, started), private=environment.new_secrets())
            place = {"CHAOS_POSTMASTER": str(postgres.pid_file), "CHAOS_LOG": str(home / "workers.log"), "CHAOS_HOLD": hold}
            yield postgres, {**environment.of_a_process(settings), **place, "DEMO": "0", "DJANGO_SETTINGS_MODULE": "tests.chaos.settings"}, guard
        finally:
            for server in reversed(started):
                server.stop()


def lines(arguments: list[str]) -> Iterator[dict[str, Any]]:
    """What each run found. PostgreSQL is started again whenever it was stopped."""
    with servers(hold="0.6" if "--short" in arguments else "30") as (postgres, env, guard), tempfile.TemporaryFile("w+b") as output:
        process = guard.start([sys.executable, "-m", "tests.chaos.run", *arguments], env=env, stdout=output)
        try:
            while process.poll() is None:
                if postgres.process and postgres.process.poll() is not None:
                    guard.forget(postgres.process)
                    postgres.process = None
                    time.sleep(AWAY)
                    postgres.start()
                time.sleep(0.1)
        except Stopped:
            guard.end(process, patience=5)
            raise
        guard.forget(process)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, "tests.chaos.run")
        output.seek(0)
        yield from (json.loads(line) for line in output)


def main() -> int:
    at, broken = datetime.now(UTC), 0
    with Interruption() as _:
        for found in lines(sys.argv[1:]):
            print(report.text(found), flush=True)
            if as_json := os.environ.get("CHAOS_JSON"):
                with Path(as_json).open("a") as file:
                    file.write(json.dumps(found) + "\n")
            if not found["broken"] and "--short" not in sys.argv:
                report.write(found, at=at)
            broken += not found["broken"] and not all(check["ok"] for check in found["checks"])
    return int(bool(broken))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Stopped as stopped:
        sys.exit(stopped.exit_code)
