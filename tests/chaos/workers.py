"""Worker processes, found to be killed and started again: Celery's as the Procfile starts them, with beat, or forks of the chaos itself."""

import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from django.db import DatabaseError, connection

from config.local.processes import Guard, Process
from success import db
from tests.server import ROOT

CELERY = [sys.executable, "-m", "celery", "--quiet", "-A", "config"]
WORKER = [*CELERY, "worker", "--without-mingle", "--without-gossip", "--queues", "ingest,score,send,sync", "--concurrency", "2", "--loglevel", "CRITICAL"]
BEAT = [*CELERY, "beat", "--scheduler", "django_celery_beat.schedulers:DatabaseScheduler", "--max-interval", "2", "--loglevel", "CRITICAL"]
FORKS = 3
AT_WORK = "select split_part(application_name, ' ', 2) from pg_stat_activity where application_name like 'works %%' and datname = current_database()"
KILLED_WHOLE = 0.2  # of the kills take a worker with all its processes


class Workers:
    """All are up while the context is open; one that ends is started again, as a supervisor would."""

    def __init__(self, commands: list[list[str]], *, log: Path, **environment: str) -> None:
        self.commands, self.environment, self.log = commands, {**os.environ, **environment}, log
        self.processes: list[Process] = []
        self.over = threading.Event()

    def __enter__(self) -> "Workers":
        self.guard = Guard().__enter__()  # they never outlive us
        self.processes = [self.start(command) for command in self.commands]
        self.keeper = threading.Thread(target=self.keep, daemon=True)
        self.keeper.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.keeper.join()
        self.guard.__exit__(None, None, None)

    def start(self, command: list[str]) -> Process:
        with self.log.open("ab") as output:
            return self.guard.start(command, ending=signal.SIGKILL, env=self.environment, cwd=ROOT, stdout=output, stderr=output)

    def keep(self) -> None:
        while not self.over.wait(0.1):
            for place, process in enumerate(self.processes):
                if process.poll() is not None:
                    self.guard.forget(process)
                    self.processes[place] = self.start(self.commands[place])

    def children(self) -> list[int]:
        """The processes that do the work."""
        return [child for process in self.processes if "beat" not in str(process.args) for child in children_of(process.pid)]

    def one_at_work(self) -> int:
        """A process that is connected and has claimed something; while there is none, nothing is worth killing."""
        while True:
            with suppress(DatabaseError):
                found = [int(pid) for (pid,) in db.rows(AT_WORK)]
                if working := set(found) & set(self.children()):
                    return random.choice(sorted(working))
            connection.close()
            time.sleep(0.05)

    def kill_one(self) -> None:
        """One that works is gone, without a word; now and then a worker with all of its processes."""
        pid = self.one_at_work()
        whole = [process.pid for process in self.processes if pid in children_of(process.pid)]
        if whole and random.random() < KILLED_WHOLE:
            kill_group(whole[0])
        else:
            send(pid, signal.SIGKILL)

    def freeze_one(self, *, seconds: float) -> threading.Thread:
        """One stands still for longer than its leases last, and goes on as if nothing had been."""
        pid = self.one_at_work()

        def thaw() -> None:
            time.sleep(seconds)
            send(pid, signal.SIGCONT)

        send(pid, signal.SIGSTOP)
        waiting = threading.Thread(target=thaw, daemon=True)
        waiting.start()
        return waiting


class Forks(Workers):
    """Children that need no start."""

    def __init__(self, work: Callable[[], None]) -> None:
        super().__init__([], log=Path(os.devnull))
        self.work, self.pids = work, set[int]()

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.keeper.join()
        for pid in self.pids:
            send(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        self.guard.__exit__(None, None, None)

    def keep(self) -> None:
        while not self.over.wait(0.02):
            self.pids -= {pid for pid in self.pids if os.waitpid(pid, os.WNOHANG)[0]}
            while len(self.pids) < FORKS:
                if not (pid := os.fork()):
                    self.work()
                self.pids.add(pid)

    def children(self) -> list[int]:
        return list(self.pids)


def children_of(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
