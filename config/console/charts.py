"""Pictures of numbers, as SVG made here: no script, readable without colour, every shape with its words; days as the reader's language has them."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from html import escape

from django.utils.safestring import SafeString, mark_safe

from config.console.templatetags.words import day as in_words

CRITICAL_BELOW, HEALTHY_FROM = 40, 70
Point = tuple[date, float | None]


def number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def steps(points: Sequence[Point], last: date, x: "Scale", y: "Scale") -> Iterator[str]:
    """A score holds until it changes: a line in steps, broken where there is none."""
    drawing = False
    for (day, value), (until, _) in zip(points, [*points[1:], (last + timedelta(days=1), None)], strict=True):
        if value is not None:
            yield f"{'L' if drawing else 'M'}{x(day.toordinal())} {y(value)}H{x(until.toordinal())}"
        drawing = value is not None


class Scale:
    """From values to places on the picture."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self.low, self.start, self.by = low, start, (end - start) / ((high - low) or 1)

    def __call__(self, value: float) -> str:
        return number(self.start + (value - self.low) * self.by)


def svg(width: int, height: int, label: str, *shapes: str, css: str, stretched: bool = False) -> SafeString:
    inner, ratio = "".join(shapes), ' preserveAspectRatio="none"' if stretched else ""
    return mark_safe(  # noqa: S308 - numbers of ours, and words that are escaped
        f'<svg class="{css}" viewBox="0 0 {width} {height}"{ratio} role="img" aria-label="{escape(label)}"><title>{escape(label)}</title>{inner}</svg>'
    )


def text(x: str, y: str, words: str, css: str = "cs-axis", anchor: str = "start") -> str:
    return f'<text class="{css}" x="{x}" y="{y}" text-anchor="{anchor}">{escape(words)}</text>'


def history(points: Sequence[Point], *, first: date, last: date, marks: Sequence[tuple[date, str]] = (), label: str) -> SafeString:
    """The score over days, 0 to 100, with the bounds of the levels; a mark is a flag with its words in its title."""
    width, height = 640, 180
    x, y = Scale(first.toordinal(), last.toordinal() + 1, 28, width - 4), Scale(0, 100, height - 20, 14)
    bounds = [
        f'<path class="cs-bound" d="M28 {y(bound)}H{width - 4}"/>{text("24", y(bound), str(bound), anchor="end")}'
        for bound in (0, CRITICAL_BELOW, HEALTHY_FROM, 100)
    ]
    days = [first, first + (last - first) / 2, last]
    axis = [text(x(day.toordinal()), str(height - 4), in_words(day), anchor=anchor) for day, anchor in zip(days, ("start", "middle", "end"), strict=True)]
    flags = [
        f'<g class="cs-flag"><title>{escape(f"{in_words(day)}: {words}")}</title><path d="M{x(day.toordinal())} 12V{y(0)}"/>'
        f'<circle cx="{x(day.toordinal())}" cy="8" r="4"/></g>'
        for day, words in marks
        if first <= day <= last
    ]
    line = f'<path class="cs-curve" d="{"".join(steps(points, last, x, y))}"/>'
    return svg(width, height, label, *bounds, *axis, *flags, line, css="cs-history")


def bar(points: float, most: float, label: str) -> SafeString:
    """A part of a whole."""
    return svg(100, 8, label, '<rect class="cs-whole" width="100" height="8" />',
               f'<rect class="cs-part" width="{number(100 * points / most)}" height="8" />', css="cs-bar", stretched=True)  # fmt: skip


def sparkline(points: Sequence[Point], *, first: date, last: date) -> SafeString:
    """The score over days, as small as a word; its words say from what to what. Nothing where there are less than two scores."""
    points = [(max(day, first), value) for day, value in points]
    known = [(day, value) for day, value in points if value is not None]
    if len(known) < 2:
        return SafeString("")
    (began, start), (ended, end) = known[0], known[-1]
    until = next((day for day, value in points if day > ended and value is None), last)
    width, height = 96, 28
    x, y = Scale(first.toordinal(), last.toordinal() + 1, 2, width - 4), Scale(0, 100, height - 2, 2)
    bounds = f'<path class="cs-bound" d="M2 {y(HEALTHY_FROM)}H{width - 4}M2 {y(CRITICAL_BELOW)}H{width - 4}"/>'
    line = f'<path class="cs-curve" d="{"".join(steps(points, last, x, y))}"/>'
    dot = f'<circle class="cs-part" cx="{x(until.toordinal() + (until == last))}" cy="{y(end)}" r="2.5"/>'
    return svg(width, height, f"from {start:.0f} to {end:.0f} in {(until - began).days} days", bounds, line, dot, css="cs-spark")
