"""BENCHMARKS.md: a head, and sections of which a run replaces those it measured."""

import re
from pathlib import Path

from tests.bench.figures import Section
from tests.server import ROOT

FILE = ROOT / "BENCHMARKS.md"
HEAD = """# Benchmarks

Written by `make bench`; nothing here is typed by hand. Goals are ratios: the ways of doing a thing are run in turn, A B A B, in one run, and of each
the fastest round counts. Times move with the machine and with what else runs on it, ratios less. `make bench ARGS="p4 p5 --suppliers 1000"` measures and
replaces only those parts.
"""


def write(sections: list[Section], *, measured: str, path: Path = FILE) -> None:
    """The sections are in the file, those of the same title replaced, the others as they were."""
    kept = sections_of(path.read_text()) if path.exists() else {}
    for section in sections:
        kept[section.title] = f"{section.text()}\n{measured}\n"
    path.write_text("\n".join([HEAD, *(kept[title] for title in sorted(kept, key=order))]))


def sections_of(text: str) -> dict[str, str]:
    """The parts of a file by their titles."""
    parts = re.split(r"^## (.*)\n", text, flags=re.M)[1:]
    return {title: f"## {title}\n{body.rstrip()}\n" for title, body in zip(parts[::2], parts[1::2], strict=True)}


def order(title: str) -> tuple[bool, bool, list[tuple[int, str]]]:
    """P2 before P11, those of a million behind, what is no goal of its own last."""
    numbered = [(int(part or 0), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", title)]
    return not re.match(r"P\d|A million", title), title.startswith("A million"), numbered
