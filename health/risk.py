"""RiskAssessment: the reasons for a level in words, with the supplier's own numbers, and decline before the level is low. Pure.

The change of a level as an event is `health.events.RiskChanged`."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta, tzinfo
from typing import Any

from health.scoring import Inputs, Scorecard

MOST = 3  # reasons shown
TREND_DAYS = 7


@dataclass(frozen=True, slots=True)
class Use:
    """On how many days she did something herself: of the last 14 with today, and of the up to 28 before them that she was known on."""

    recent: int
    before: int
    days_before: int


@dataclass(frozen=True, slots=True)
class Reason:
    """One sentence with a number or a date she could check; `component` is the part of the score it speaks of, if one."""

    key: str
    text: str
    component: str | None
    points: float  # missing; the worst reason first


@dataclass(frozen=True, slots=True)
class Picture:
    """What the reasons are made from."""

    inputs: Inputs
    parts: tuple[float, ...]
    window: int  # days
    known_since: datetime
    signed_up: bool  # known_since is the day she signed up, not the day we first saw her
    first_activity_at: datetime | None
    last_activity_at: datetime | None
    use: Use | None
    at: datetime


def seen_from(picture: Picture, zone: tzinfo) -> Picture:
    """The same picture, its days those of a time zone."""

    def there(thing: Any) -> dict[str, Any]:
        return {field.name: at.astimezone(zone) for field in fields(thing) if isinstance(at := getattr(thing, field.name), datetime)}

    return replace(picture, inputs=replace(picture.inputs, **there(picture.inputs)), **there(picture))


def use(recent: int, before: int, known_since: datetime, at: datetime) -> Use | None:
    """Her use, once she is known for 28 days; before that there is nothing to compare with."""
    if at - known_since < timedelta(days=28):
        return None
    return Use(recent, before, min(28, (at.date() - known_since.date()).days - 13))


def declining(use: Use | None) -> bool:
    """Whether she was active on at most half as many of her days as before, having been active on 4 days or more."""
    return use is not None and use.before >= 4 and use.recent * use.days_before * 2 <= use.before * 14


def reasons(picture: Picture, scorecard: Scorecard) -> list[Reason]:
    """At most three, worst first: by the points that are missing."""
    if picture.first_activity_at is None and picture.inputs.last_sign_in_at is None and not picture.inputs.clients_total:
        return [not_started(picture)]
    found = [*decline(picture)]
    for component, points in zip(scorecard.components, picture.parts, strict=True):
        missing = component.max - points
        if missing > 1e-9:
            key, text = adoption(picture, scorecard) if component.key == "feature_adoption" else SENTENCES[component.key](picture)
            found.append(Reason(key, text, component.key, missing))
    return sorted(found, key=lambda reason: -reason.points)[:MOST]


def decline(picture: Picture) -> Iterator[Reason]:
    """A fall in her own use weighs more than any part: it comes before the score is low."""
    if declining(picture.use) and picture.use is not None:
        use = picture.use
        since = day(picture.at - timedelta(days=13), picture.at)
        text = f"active on {use.recent or 'none'} of the last 14 days, since {since}, against {use.before} of the {use.days_before} days before"
        yield Reason("declining", text, None, float("inf"))


def not_started(picture: Picture) -> Reason:
    return Reason("not_started", f"has not started: {begun(picture)}, nothing since", None, 100.0)


def begun(picture: Picture) -> str:
    return f"{'signed up' if picture.signed_up else 'first seen'} {ago(picture.known_since, picture.at)}"


# ---------------------------------------------------------------- a sentence for each part of the score

Sentence = tuple[str, str]  # key and text
NAMES = {"forms_created": "forms", "clients_imported": "client import", "journeys_created": "journeys", "templates_used": "templates"}


def sign_in(picture: Picture) -> Sentence:
    last = picture.inputs.last_sign_in_at
    if last is None:
        return "never_signed_in", f"never signed in, {begun(picture)}"
    return "login_recency", f"last signed in {ago(last, picture.at)}"


def adoption(picture: Picture, scorecard: Scorecard) -> Sentence:
    component = next(component for component in scorecard.components if component.key == "feature_adoption")
    inputs = component.explain(picture.inputs, picture.at)
    used, unused = inputs["used"], [NAMES.get(key, key.replace("_", " ")) for key in inputs["unused"]]
    return "feature_adoption", f"{len(used) or 'none'} of {len(used) + len(unused)} features used, not yet {listed(unused)}"


def clients(picture: Picture) -> Sentence:
    total, active = picture.inputs.clients_total, picture.inputs.clients_active
    if not total:
        return "no_clients", f"no clients on {day(picture.at, picture.at)}, {begun(picture)}"
    since = day(window_from(picture, timedelta(days=picture.window)), picture.at)
    if total == 1:
        return "client_activity", f"the 1 client was not active since {since}"
    return "client_activity", f"{active or 'none'} of {total} clients active since {since}"


def window_from(picture: Picture, length: timedelta) -> datetime:
    """Where the window begins, or where she did, if that is later: nobody is told of days before her own."""
    return max(picture.at - length, min(picture.known_since, picture.first_activity_at or picture.known_since, picture.at))


def completion(done: str, started: str, key: str, one: str) -> Callable[[Picture], Sentence]:
    def sentence(picture: Picture) -> Sentence:
        n, of = getattr(picture.inputs, done), getattr(picture.inputs, started)
        since = day(window_from(picture, timedelta(days=picture.window - 1)), picture.at)
        if not n and not of:
            return f"no_{key}", f"no {one} started since {since}"
        return key, f"{n or 'no'} {one if n < 2 else one + 's'} completed of {max(of, n)} started since {since}"

    return sentence


SENTENCES: dict[str, Callable[[Picture], Sentence]] = {
    "login_recency": sign_in,
    "client_activity": clients,
    "form_completion": completion("forms_completed", "forms_started", "form_completion", "form"),
    "journey_performance": completion("steps_completed", "steps_started", "journey_performance", "journey step"),
}


# ---------------------------------------------------------------- words


def ago(then: datetime, now: datetime) -> str:
    """`1 day ago, on 5 November`: by the calendar (UTC), so that the number and the date agree."""
    days = max((now.date() - then.date()).days, 0)
    return f"{'today' if days == 0 else '1 day ago' if days == 1 else f'{days} days ago'}, on {day(min(then, now), now)}"


def listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def day(at: datetime, now: datetime) -> str:
    """6 November; with the year where it is another."""
    return f"{at.day} {at:%B}" + ("" if at.year == now.year else f" {at.year}")
