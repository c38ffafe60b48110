"""The event catalogue, with what a changed meaning would do before it is saved."""

from typing import Any

from django.contrib import admin
from django.db import OperationalError, transaction
from django.db.models import Max
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse

from config.console.pages import page
from config.console.templatetags.words import person, words
from health import previews
from health.previews import Preview
from success import books, clock, db
from success.admin.catalogue import EventNameAdmin
from success.models import EventName, EventTotal, Supplier
from success.models.activity import Meaning

PATIENCE = "4s"


@admin.register(EventName)
class Catalogue(EventNameAdmin):
    """Between the form and the save of another meaning stands what it would change."""

    list_before_template = "console/catalogue.html"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        counted = EventTotal.objects.aggregate(at=Max("counted_at"))["at"]
        shown: TemplateResponse = super().changelist_view(request, {**(extra_context or {}), "counted_at": counted})
        return shown

    def changeform_view(self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None) -> HttpResponseBase:
        asked = self.asked(request, object_id) if request.method == "POST" and object_id and "sure" not in request.POST else None
        if asked:
            return what_would_change(request, asked)
        answer: HttpResponseBase = super().changeform_view(request, object_id, form_url, extra_context)
        return answer

    def asked(self, request: HttpRequest, object_id: str) -> EventName | None:
        """The event as it is to be, where its meaning or feature would change; none where there is nothing to look at first."""
        event = self.get_object(request, object_id)
        if event is None or not self.has_change_permission(request, event):
            return None
        form = self.get_form(request, event, change=True)(request.POST, instance=event)
        return form.instance if form.is_valid() and {"meaning", "feature"} & set(form.changed_data) else None


def what_would_change(request: HttpRequest, event: EventName) -> TemplateResponse:
    """How many scores and levels would move, and whose most; saved is nothing yet."""
    before, seen = EventName.objects.select_related("feature").get(pk=event.pk), preview(event)
    typed = [(name, value) for name, values in request.POST.lists() for value in values if name != "csrfmiddlewaretoken"]
    levels = [(words(old) if old != "none" else "no score", words(new) if new != "none" else "no score", n) for old, new, n in seen.levels] if seen else []
    return page(
        request,
        "meaning",
        title=f"What would this change: {event.name}",
        event=event,
        was=said(before),
        becomes=said(event),
        seen=seen,
        levels=levels,
        most=sample(request, seen) if seen else [],
        typed=typed,
    )


def preview(event: EventName) -> Preview | None:
    """None where it takes too long to find out."""
    try:
        with transaction.atomic():
            db.rows("select set_config('statement_timeout', %s, true)", [PATIENCE])
            return previews.of_meaning(event, meaning=event.meaning, feature=event.feature_id, at=clock.now())
    except OperationalError:
        return None


def said(event: EventName) -> str:
    return f"used the feature {event.feature.name}" if event.meaning == Meaning.FEATURE and event.feature else str(event.get_meaning_display())


def sample(request: HttpRequest, seen: Preview) -> list[tuple[previews.Move, Supplier, str]]:
    """Of those the reader may see, whose scores would change most."""
    first = {move.supplier: move for move in seen.moved}
    visible = set(books.visible(Supplier.objects.filter(pk__in=list(first)), request.user).values_list("pk", flat=True))
    chosen = [pk for pk in first if pk in visible][: previews.SAMPLE]
    found = Supplier.objects.prefetch_related("contacts").in_bulk(chosen)
    return [(first[pk], found[pk], person(found[pk])) for pk in chosen]
