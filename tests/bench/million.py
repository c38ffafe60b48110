"""A million suppliers: P1, P2, P3 and P11 there, and the memory of the process that scores them."""

import os
import subprocess
import sys

from tests.bench import reading, scoring
from tests.bench.databases import Databases
from tests.bench.figures import Section
from tests.bench.scoring import move_all
from tests.server import ROOT, database_url

SIZE = 1_000_000
SMALLER = 100_000
SMALLEST = 1_000
MOST_MEMORY = 300  # MB


def million(rounds: int, found: Databases) -> list[Section]:
    parts = [
        scoring.p1([SIZE], rounds, found),
        scoring.p2([SMALLER, SIZE], rounds, found),
        scoring.p3([SIZE], max(2, rounds // 2), found),
        reading.p11([SMALLEST, SIZE], rounds, found),
    ]
    return [*(Section(f"A million: {part.title}", part.note, part.head, part.rows) for part in parts), memory(found)]


def memory(found: Databases) -> Section:
    found.use(SIZE)
    move_all()
    command = [sys.executable, "-m", "tests.bench.worker", found.now().isoformat()]
    told = subprocess.run(command, env={**os.environ, "DATABASE_URL": database_url()}, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    changed, kibibytes = map(int, told.split())
    megabytes = kibibytes * 1024 / 1e6
    verdict = f"under {MOST_MEMORY} MB: " + ("met" if megabytes < MOST_MEMORY else "**over its goal**")
    return Section(
        "A million: memory of the scoring process",
        "The most a process of its own held (resident set) while it scored all, every row changed and written.",
        ("rows written", "memory", "goal"),
        [(f"{changed:,}", f"{megabytes:.0f} MB", verdict)],
    )
