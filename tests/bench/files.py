"""Importing activity from a file, beside COPY of the same rows."""

import tempfile
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from random import Random

from success import clock, db
from success.imports import runs
from success.imports.records import Columns
from success.models import Source
from tests.bench import population, traffic
from tests.bench.databases import Databases
from tests.bench.figures import Figure, Section, section
from tests.bench.ingest import copy
from tests.bench.timing import interleaved, seconds

LINES = 200_000
SEEDS = count(1_000_000)  # none of those of other batches


def imported(sizes: list[int], rounds: int, found: Databases) -> Section:
    size = max(sizes)
    found.use(size)
    ours, copied = interleaved(rounds, lambda: by_import(size, found), lambda: by_copy(size, found))
    return section(
        "Importing a file",
        f"`success.imports` (behind `manage.py import_activity`) of a CSV file of {LINES:,} lines, staged, checked, with message keys; beside one COPY "
        "of as many rows ready-made (as `psql \\copy` does) into `success_activity` with its fold, as history. The goal is a third of its speed.",
        [Figure(f"{LINES:,} lines, {size:,} suppliers", ours, "COPY with the same trigger", copied, LINES, "line", 3)],
    )


def history(size: int, found: Databases) -> Iterator[list[traffic.Message]]:
    """Batches of two months ago until now."""
    generator = Random(next(SEEDS))
    for _ in range(LINES // traffic.SIZE):
        yield traffic.batch(generator, suppliers=size, at=found.at - timedelta(days=60 * generator.random()))


def by_import(size: int, found: Databases) -> float:
    source = Source.objects.get(name=population.SOURCE)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "activity.csv"
        lines = (f"{one.id},supplier-{one.supplier},{one.event},{one.at.isoformat()}\n" for batch in history(size, found) for one in batch)
        path.write_text("message_id,user_id,event,timestamp\n" + "".join(lines))
        with path.open("rb") as raw:
            taken = seconds(lambda: runs.import_activity(raw, columns=Columns(), source=source, rejects=Path(folder) / "rejects.csv", now=clock.now))
    return taken


def by_copy(size: int, found: Databases) -> float:
    known = {"source": population.source_id(), "at": found.at, "events": population.event_ids()}
    lines = b"".join(traffic.as_copy([bare(one) for one in batch], **known) for batch in history(size, found))

    def send() -> None:
        with db.history():
            copy("success_activity", lines)

    return seconds(send)


def bare(one: traffic.Message) -> traffic.Message:
    """Without properties, as the file has none."""
    return traffic.Message(one.id, one.supplier, one.event, one.at, None)
