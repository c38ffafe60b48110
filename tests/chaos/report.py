"""CHAOS.md: what was done to the work, and what held."""

import os
import platform
from datetime import datetime
from typing import Any

from tests.bench import machine
from tests.bench.figures import table
from tests.server import ROOT

FILE = ROOT / "CHAOS.md"
HEAD = """# Chaos

Written by `make chaos`; nothing here is typed by hand. Each check has a test that breaks what it checks on purpose and sees it fail
(`tests/test_chaos.py`, with a short form of the same run).
"""
WHAT = """Two Celery workers of two processes each, and beat, on a PostgreSQL and a Valkey of their own. {events:,} events come in {kills} waves, each for two
subscribers that write down what they are told ({deliveries:,} deliveries) and every tenth for one that then always fails; with them come {calls:,} rows
that make a call to a local sink, which takes 2 ms. After each wave a worker process is killed with SIGKILL, every fifth time a worker with all its
processes. {freezes} times one is frozen for longer than its lease. In the middle Valkey is flushed and all deliveries are written once more; later
PostgreSQL is stopped at once and comes back after a second. In the end a person asks for the rows again that say `unknown`."""


def text(found: dict[str, Any]) -> str:
    """A table for one run."""
    name = f" with {found['broken']}" if found["broken"] else ""
    return f"\nChaos{name}: {found['took']:.0f} s\n\n{table(('what', 'found', 'at most', ''), [tuple(check['cells']) for check in found['checks']])}\n"


def write(found: dict[str, Any], *, at: datetime) -> None:
    """The file holds this run."""
    plan = found["plan"]
    place = f"{platform.system()} {platform.release()}, {os.cpu_count()} cores ({machine.processor()}), {machine.memory()}; Python {platform.python_version()}"
    measured = f"{at:%Y-%m-%d %H:%M} UTC, {machine.commit()}, {found['took']:.0f} s in all. {place}."
    checks = table(("what", "found", "at most", ""), [tuple(check["cells"]) for check in found["checks"]])
    FILE.write_text("\n".join([HEAD, WHAT.format(**plan, deliveries=2 * plan["events"]), "", checks, "", measured, ""]))
