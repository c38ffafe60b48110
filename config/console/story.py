"""The page of one supplier: who she is, how she stands and why, what was done, and what to do next."""

from datetime import date, datetime, timedelta
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.safestring import SafeString

from config.console import charts
from config.console.pages import back, console, page, supplier_of
from config.console.playbooks import of_supplier
from config.console.templatetags.words import day, person
from config.console.timeline import PAGE, timeline
from health import current, history, overrides, risk, steps
from health.current import Health
from health.scoring import WS142, score
from milestones import progress, rewards
from success import clock
from success.metrics import STORED_WINDOW
from success.models import Snooze, Supplier, Task

SHOWN = 90  # days of the chart
AHEAD = 3  # rungs of the ladder that stand there at once


@console("success.view_supplier")
def story(request: HttpRequest, pk: int) -> HttpResponseBase:
    """All that is known of a supplier, on one page."""
    at, supplier = clock.now(), supplier_of(request, pk)
    health = current.healths_of([pk], days=STORED_WINDOW, at=at)[pk]
    entries = timeline(pk, before=asked_before(request) or at, zone=timezone.get_current_timezone_name())
    way = steps.way(WS142, health.picture.inputs, at) if health.score else None
    return page(
        request,
        "story",
        title=person(supplier),
        supplier=supplier,
        contact=next((one for one in supplier.contacts.all() if one.is_primary), None),
        came_from=back(request, "", name="from"),
        override=overrides.active([pk], at=at).get(pk),
        timeline=entries,
        older=entries[-1].at if len(entries) == PAGE else None,
        snooze=Snooze.objects.active(at).filter(supplier=pk).select_related("by").first(),
        tasks=Task.objects.open().filter(supplier=pk).select_related("assignee").order_by("due_on"),
        **standing(health),
        way=way,
        way_words=steps.sentence(way.steps) if way else "",
        unsubscribed=getattr(getattr(supplier, "preferences", None), "unsubscribed_at", None),
        chart=chart(supplier, health, at=at),
        **of_supplier(supplier),
        **ladder(pk, at=at),
    )


def ladder(supplier: int, *, at: datetime) -> dict[str, Any]:
    """How far she is on the ladder, and what she was given."""
    climb = progress.climb(supplier, at=at)
    following = [
        (rung, charts.bar(rung.current, rung.target, f"{rung.current} of {rung.target}"))
        for rung in climb.rungs
        if rung.state not in (progress.DONE, progress.LOCKED)
    ]
    return {
        "climb": climb,
        "following": following[:AHEAD],
        "further": following[AHEAD:],
        "locked": climb.of(progress.LOCKED),
        "given": rewards.of_supplier(supplier),
    }


def asked_before(request: HttpRequest) -> datetime | None:
    """The instant before which the timeline is asked for; what is no instant is passed over."""
    try:
        found = parse_datetime(request.GET.get("before", ""))
    except ValueError:
        return None
    return found if found and found.tzinfo else None


def standing(health: Health) -> dict[str, Any]:
    """Score, reasons and parts, for the template."""
    parts = [
        part | {"bar": charts.bar(part["points"], part["max"], f"{part['points']:.1f} of {part['max']:.0f}"), "made_from": part["inputs"].items()}
        for part in current.parts(health.picture, WS142)
    ]
    return {"health": health, "parts": parts, "reasons": reasons_of(health)}


def reasons_of(health: Health) -> list[risk.Reason]:
    """Why she stands as she does, in days of the reader's time zone."""
    return risk.reasons(risk.seen_from(health.picture, timezone.get_current_timezone()), WS142) if health.score else []


def chart(supplier: Supplier, health: Health, *, at: datetime) -> tuple[str, SafeString] | None:
    """The last 90 days up to now, or what is known of them, with its title and what our own people did as flags; None while there is nothing to draw."""
    last: date = at.date()
    first = last - timedelta(days=SHOWN)
    days = history.history_of(supplier_id=supplier.pk, since=first)
    points = [(row["day"], row["score"]) for row in days if row["day"] < last]
    if health.score:
        points.append((last, score(WS142, health.picture.inputs, at).score))
    if len(points) < 2:
        return None
    touched = [(touch.at.date(), str(touch)) for touch in supplier.touchpoints.filter(at__date__gte=first)]
    words = f"Score of the last {SHOWN} days, now {points[-1][1]:.1f}" if points[-1][1] is not None else f"Score of the last {SHOWN} days"
    title = f"The last {SHOWN} days" if points[0][0] <= first else f"Since {day(points[0][0])}"
    return title, charts.history(points, first=max(first, points[0][0]), last=last, marks=touched, label=words)


@console("success.view_supplier")
def scoring(request: HttpRequest) -> HttpResponseBase:
    """How a score is made, from the scorecard itself."""
    return page(request, "scoring", title="How a score is made", scorecard=WS142, days=STORED_WINDOW)
