"""Keeps the programs and servers running: what ends is started again, and what keeps ending stops everything."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from config.local.checkout import Problem, say
from config.local.interruption import Interruption
from config.local.output import Output
from config.local.processes import Guard, Process

TICK = 0.2  # seconds
LOOK_EVERY = 0.5
QUICK_DEATH = 10.0  # seconds of life that are too few to be a start
PAUSES = (0.5, 1.0, 2.0, 4.0)  # seconds before the next start, after one quick death, two, ...
STOP_SECONDS = 10.0


class Charge(Protocol):
    """Something that is kept running. Its start may be repeated once it has ended."""

    @property
    def name(self) -> str: ...
    @property
    def log(self) -> Path: ...
    @property
    def process(self) -> Process | None: ...
    def start(self) -> None: ...


@dataclass
class Watched:
    charge: Charge
    started_at: float
    quick_deaths: int = 0
    due_at: float | None = None  # when it is to be started; None while it runs


class Supervisor:
    def __init__(self, *, guard: Guard, output: Output, interruption: Interruption) -> None:
        self._guard, self._output, self._interruption = guard, output, interruption
        self._watched: list[Watched] = []

    def watch(self, charge: Charge) -> None:
        """Keep the charge running, which runs already or is started at the next tick."""
        now = time.monotonic()
        self._watched.append(Watched(charge, started_at=now, due_at=None if charge.process else now))

    def run(self, *, until: Callable[[], bool] = lambda: False, seconds: float = float("inf")) -> bool:
        """Keep all running; whether the condition came true in time. Raises Problem when a charge keeps ending."""
        looked_at, deadline = 0.0, time.monotonic() + seconds
        while (now := time.monotonic()) < deadline:
            if now - looked_at >= LOOK_EVERY:  # not at every tick: looking may itself make a program write
                looked_at = now
                if until():
                    return True
            self._tick()
        return False

    def stop(self, charges: list[Charge]) -> None:
        """The charges are gone, asked together, and killed when they take too long or the user insists."""
        running = [charge.process for charge in charges if charge.process]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        while any(process.poll() is None for process in running) and time.monotonic() < deadline and not self._interruption.hurried:
            self._output.pump(TICK)
        for process in running:
            self._guard.end(process, patience=0)
        self._output.pump(0)

    def _tick(self) -> None:
        self._output.pump(TICK)
        now = time.monotonic()
        for watched in self._watched:
            if watched.due_at is not None and watched.due_at <= now:
                watched.started_at, watched.due_at = now, None
                watched.charge.start()
            elif watched.due_at is None and (process := watched.charge.process) and process.poll() is not None:
                self._guard.forget(process)
                self._plan_restart(watched, process.returncode, now)

    def _plan_restart(self, watched: Watched, status: int, now: float) -> None:
        charge = watched.charge
        watched.quick_deaths = watched.quick_deaths + 1 if now - watched.started_at < QUICK_DEATH else 0
        if watched.quick_deaths > len(PAUSES):
            raise Problem(f"{charge.name} ended {watched.quick_deaths} times in a row, at last by {cause(status)}. Its log: {charge.log}")
        pause = PAUSES[max(watched.quick_deaths - 1, 0)]
        watched.due_at = now + pause
        say(f"{charge.name} ended by {cause(status)}; starting it again in {pause:g} s. Its log: {charge.log}")


def cause(status: int) -> str:
    return f"signal {-status}" if status < 0 else f"itself with status {status}"
