"""Runs the acceptance tests and writes ACCEPTANCE.md: nothing in it is typed by hand."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.acceptance.lines import LINES

ROOT = Path(__file__).parent.parent.parent
REPORT = ROOT / "ACCEPTANCE.md"
Row = tuple[str, str, str]  # what shows it, result, figure


class Collector:
    """A pytest plugin: the outcome of each test by the lines it is marked with."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Row]] = {}
        self.lines_of: dict[str, tuple[str, ...]] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            marker = item.get_closest_marker("line")
            self.lines_of[item.nodeid] = marker.args if marker else ()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when != "call" and report.passed:
            return
        figure = "; ".join(str(value) for name, value in report.user_properties if name == "figure")
        for line in self.lines_of[report.nodeid]:
            self.rows.setdefault(line, []).append((report.nodeid, "shown" if report.passed else "FAILED", figure))


def commit() -> str:
    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!ACCEPTANCE.md")
    return (git("rev-parse", "--short", "HEAD") or "unknown") + (" with changes" if changed else "")


def written(rows: dict[str, list[Row]]) -> str:
    head = f"# Acceptance\n\nMade by `make acceptance` on {datetime.now(UTC):%Y-%m-%d} at commit {commit()}.\n\n"
    head += "| line | what it says | shown by | result | figure |\n|---|---|---|---|---|\n"
    body = []
    for line, says in LINES.items():
        for test, result, figure in rows.get(line, [("", "not shown", "")]):
            body.append(f"| {line} | {says} | {f'`{test}`' if test else ''} | {result} | {figure} |")
    return head + "\n".join(body) + "\n"


def main(arguments: list[str]) -> int:
    collector = Collector()
    code = pytest.main([str(ROOT / "tests" / "acceptance"), *arguments], plugins=[collector])
    REPORT.write_text(written(collector.rows))
    shown = sum(all(result == "shown" for _, result, _ in rows) for rows in collector.rows.values())
    print(f"{shown} of {len(LINES)} lines shown; see {REPORT.name}")
    return int(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
