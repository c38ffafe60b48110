"""The programs of the Procfile, run as every other host of one runs them: by the shell, in the checkout."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from config.local import checkout
from config.local.checkout import Problem
from config.local.output import Output
from config.local.processes import Guard, Process

LINE = re.compile(r"^(?P<name>[A-Za-z0-9_-]+):\s*(?P<command>.+)$")


class Program:
    """One line of the Procfile."""

    def __init__(self, name: str, command: str, *, guard: Guard, output: Output, environment: Mapping[str, str]) -> None:
        self.name, self.command = name, command
        self.log = checkout.LOGS / f"{name}.log"
        self.process: Process | None = None
        self._guard, self._output, self._environment = guard, output, environment

    def start(self) -> None:
        self.process = self._guard.start(
            ["/bin/sh", "-c", self.command], cwd=checkout.ROOT, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        if self.process.stdout:
            self._output.attach(self.name, self.process.stdout, self.log)


def commands(procfile: Path) -> dict[str, str]:
    """The command of each program by its name, in the order of the file."""
    found = {}
    for line in procfile.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            match = LINE.match(line)
            if not match:
                raise Problem(f"{procfile.name} has a line that is no `name: command`: {line}")
            found[match["name"]] = match["command"]
    return found
