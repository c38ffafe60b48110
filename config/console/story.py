"""The page of one supplier: who she is, how she stands and why, what was done, and what to do next."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from config.console.actions import ACTIONS, called
from config.console.pages import console, page, supplier_of
from config.console.timeline import timeline
from health import current, risk
from health.scoring import WS142
from success import clock
from success.metrics import STORED_WINDOW
from success.models import Snooze, Task


@console("success.view_supplier")
def story(request: HttpRequest, pk: int) -> HttpResponseBase:
    """All that is known of a supplier, on one page."""
    at, supplier = clock.now(), supplier_of(request, pk)
    health = current.healths_of([pk], days=STORED_WINDOW, at=at)[pk]
    return page(
        request,
        "story",
        title=called(supplier),
        supplier=supplier,
        contact=supplier.contacts.filter(is_primary=True).first(),
        health=health,
        parts=current.parts(health.picture, WS142),
        reasons=risk.reasons(health.picture, WS142) if health.score else [],
        timeline=timeline(pk, before=at, zone=timezone.get_current_timezone_name()),
        snooze=Snooze.objects.active(at).filter(supplier=pk).select_related("by").first(),
        tasks=Task.objects.open().filter(supplier=pk).select_related("assignee").order_by("due_on"),
        actions=ACTIONS,
    )
