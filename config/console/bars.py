"""Bars of suppliers by how they stand: told apart by pattern and order, as wide as the page, each part a way to the list behind it. Pure."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from django.utils.safestring import SafeString, mark_safe

HEIGHT, TOP, FOOT = 180, 12, 22  # pixels
LABELS, PLACES = 6, 5  # how many words stand below at most, and for how many bars there is room at least


@dataclass(frozen=True, slots=True)
class Part:
    """So many suppliers who stand so; `title` says it in words, `url` lists them."""

    standing: str
    n: int
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One place, day or group, with its parts in the order they are drawn."""

    title: str
    parts: Sequence[Part]

    @property
    def total(self) -> int:
        return sum(part.n for part in self.parts)


def percent(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") + "%"


def nice(most: int) -> int:
    """The next round number."""
    size = int("1" + "0" * (len(str(most)) - 1))
    return next(size * step for step in (1, 2, 3, 4, 5, 6, 8, 10) if size * step >= most)


def svg(label: str, height: int, shapes: Iterator[str], css: str) -> SafeString:
    # A group and not a picture: its parts are links. Those in the table beside it are for the keyboard.
    return mark_safe(f'<svg class="{css}" width="100%" height="{height}" role="group" aria-label="{escape(label)}">{"".join(shapes)}</svg>')  # noqa: S308


def part_of(part: Part, x: str, y: str, width: str, height: str) -> str:
    return (
        f'<a href="{escape(part.url)}" tabindex="-1" aria-label="{escape(part.title)}"><title>{escape(part.title)}</title>'
        f'<rect class="cs-seg" x="{x}" y="{y}" width="{width}" height="{height}" fill="url(#cs-fill-{part.standing})" /></a>'
    )


def lying(bar: Bar, most: int) -> SafeString:
    """One bar from the left, as long as its share of the longest."""

    def shapes() -> Iterator[str]:
        start = 0.0
        for part in bar.parts:
            if part.n:
                width = 100 * part.n / most
                yield part_of(part, percent(start), "0", percent(width), "100%")
                start += width

    return svg(bar.title, 18, shapes(), "cs-lying")


def standing(bars: Sequence[Bar], label: str) -> SafeString:
    """Bars side by side."""
    most = nice(max([bar.total for bar in bars] + [1]))
    return svg(label, TOP + HEIGHT + FOOT, (shape for shapes in (grid(most), drawn(bars, most), named(bars)) for shape in shapes), "cs-standing")


def grid(most: int) -> Iterator[str]:
    for value in sorted({0, most / 2, most}):
        y = TOP + HEIGHT * (1 - value / most)
        yield f'<line class="cs-bound" x1="0" x2="100%" y1="{y:g}" y2="{y:g}" />'
        if value == int(value):
            yield f'<text class="cs-tick" x="-6" y="{y:g}" text-anchor="end" dominant-baseline="middle">{int(value):,}</text>'


def drawn(bars: Sequence[Bar], most: int) -> Iterator[str]:
    each = 100 / max(len(bars), PLACES)
    for place, bar in enumerate(bars):
        below = float(TOP + HEIGHT)
        for part in bar.parts:
            if part.n:
                height = HEIGHT * part.n / most
                below -= height
                yield part_of(part, percent(each * (place + 0.12)), f"{below:.1f}", percent(each * 0.76), f"{height:.1f}")


def named(bars: Sequence[Bar]) -> Iterator[str]:
    """A few of their names below, the last one's among them."""
    every = math.ceil(len(bars) / LABELS)
    for place, bar in enumerate(bars):
        if (len(bars) - 1 - place) % every == 0:
            x = percent(100 * (place + 0.5) / max(len(bars), PLACES))
            yield f'<text class="cs-tick" x="{x}" y="{TOP + HEIGHT + 16}" text-anchor="middle">{escape(bar.title)}</text>'
