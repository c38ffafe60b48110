"""Figures and the tables they make: ours beside another, their ratio beside its goal."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """Seconds of ours and of another for the same `count` things; `goal` is the most that ours / beside may be."""

    what: str
    ours: float
    beside_what: str
    beside: float
    count: int = 1
    unit: str = ""  # what is counted, in the singular
    goal: float | None = None

    @property
    def ratio(self) -> float:
        return self.ours / self.beside if self.beside else float("inf")

    @property
    def verdict(self) -> str:
        if self.goal is None:
            return "reported only"
        return f"at most {number(self.goal)}: " + ("met" if self.ratio <= self.goal else "**over its goal**")

    def cells(self) -> tuple[str, ...]:
        return self.what, self.time(self.ours), self.beside_what, self.time(self.beside), number(self.ratio), self.verdict

    def time(self, taken: float) -> str:
        return duration(taken) + (f" ({duration(taken / self.count)} per {self.unit}, {self.count / taken:,.0f}/s)" if self.unit and taken else "")


@dataclass(frozen=True, slots=True)
class Section:
    """A part of BENCHMARKS.md. `note` says what was compared and how."""

    title: str
    note: str
    head: tuple[str, ...]
    rows: list[tuple[str, ...]]

    def text(self) -> str:
        return f"## {self.title}\n\n{self.note}\n\n{table(self.head, self.rows)}\n"


HEAD = ("what", "ours", "beside", "its time", "ours / beside", "goal")


def section(title: str, note: str, figures: Iterable[Figure]) -> Section:
    return Section(title, note, HEAD, [figure.cells() for figure in figures])


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("-" * 3 for _ in head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def number(value: float) -> str:
    return f"{value:.2g}" if value < 10 else f"{value:,.0f}"


def duration(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1e3:.3g} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.3g} us"
