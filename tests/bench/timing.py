"""How something is timed: the ways of doing it in turn, A B A B, and of each the fastest round."""

import gc
import os
import time
from collections.abc import Callable
from pathlib import Path

from success import db

TICKS = os.sysconf("SC_CLK_TCK")
Arm = Callable[[], float]


def interleaved(rounds: int, *arms: Arm) -> list[float]:
    """The least that each arm reports over the rounds. An arm gives its own figure, so that it may prepare untimed."""
    taken: list[list[float]] = [[] for _ in arms]
    for _ in range(rounds):
        for place, arm in enumerate(arms):
            gc.collect()
            taken[place].append(arm())
    return [min(times) for times in taken]


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def backend() -> int:
    """The process of our database connection, which runs on this machine."""
    return int(db.rows("select pg_backend_pid()")[0][0])


def cpu(pid: int) -> float:
    """CPU seconds of a process so far, its own and the kernel's for it."""
    return sum(map(int, stat_of(pid)[11:13])) / TICKS


def cpu_of_session(session: int) -> float:
    """CPU seconds so far of all processes that live in a session."""
    total = 0.0
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                if int(stat_of(int(entry.name))[3]) == session:
                    total += cpu(int(entry.name))
            except OSError:  # it has ended
                continue
    return total


def stat_of(pid: int) -> list[str]:
    """/proc/PID/stat behind the program's name, from the state on."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()


def backend_cpu(work: Callable[[], object]) -> float:
    """CPU seconds that the database spends for us on this."""
    pid = backend()
    before = cpu(pid)
    work()
    return cpu(pid) - before


def quantile(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(share * len(times)))]
