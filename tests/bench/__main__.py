"""`python -m tests.bench [p1 .. p11 import pages due playbooks stream keys million] [--suppliers 1000 100000] [--rounds 5]`: measures, prints, writes the file."""

import argparse
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.bench.settings"
django.setup()

from tests.bench import due, files, ingest, machine, milestones, million, pages, playbooks, reading, report, scoring, streams  # noqa: E402
from tests.bench.databases import Databases, databases  # noqa: E402
from tests.bench.figures import Section  # noqa: E402
from tests.bench.key_table import key_table  # noqa: E402

Measure = Callable[[list[int], int, Databases], Section]
EACH: dict[str, Measure] = {
    "p1": scoring.p1, "p2": scoring.p2, "p3": scoring.p3, "p4": ingest.p4, "p5": ingest.p5, "p6": milestones.p6, "p9": reading.p9, "p11": reading.p11,
    "import": files.imported, "pages": pages.pages, "due": due.due_rows, "playbooks": playbooks.playbooks,
    "stream": streams.stream, "p7": streams.p7, "p10": streams.p10,
}  # fmt: skip
ASKED_FOR = ("keys", "million")  # only by name: they take minutes


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("targets", nargs="*", default=[*EACH], help=f"of {', '.join([*EACH, *ASKED_FOR])}; without any, all but the last two")
    parser.add_argument("--suppliers", nargs="+", type=int, default=[1_000, 100_000])
    parser.add_argument("--rounds", type=int, default=5)
    found = parser.parse_args()
    if unknown := set(found.targets) - {*EACH, *ASKED_FOR}:
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    return found


def measure(target: str, sizes: list[int], rounds: int, found: Databases) -> list[Section]:
    if target == "million":
        return million.million(rounds, found)
    return [key_table(found)] if target == "keys" else [EACH[target](sizes, rounds, found)]


def main() -> None:
    asked = arguments()
    at = datetime.now(UTC)
    place, commit = machine.described(), machine.commit()
    with databases(at=at) as found:
        for target in asked.targets:
            start = time.monotonic()
            sections = measure(target, sorted(asked.suppliers), asked.rounds, found)
            print(*(section.text() for section in sections), f"({target}: {time.monotonic() - start:.0f} s)\n", sep="\n", flush=True)
            report.write(sections, measured=f"{at:%Y-%m-%d %H:%M} UTC, {commit}, {asked.rounds} rounds. {place}.")


if __name__ == "__main__":
    main()
