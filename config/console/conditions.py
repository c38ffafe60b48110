"""A form's field for a condition: rows of fact, comparison and value, and beside them what it says and whom it finds."""

import json
import re
from dataclasses import replace
from typing import Any

from django import forms
from django.db import OperationalError, transaction
from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from config.console.pages import console, page
from config.console.templatetags.words import person
from success import books, clock, conditions, db, facts, segments
from success.conditions import Bound, Fact, Fault, Invalid
from success.history import Change, Step
from success.models import EventName, Supplier

PATIENCE = "4s"
LOOKED_AT, OFFERED, MOST_EVENTS = 5_000, 50, 500  # suppliers, the newest; values of a text; events
LABELS = {
    "at_least": "at least", "at_most": "at most", "more_than": "more than", "less_than": "less than", "is": "is", "is_not": "is not", "one_of": "is one of",
    "within_last": "within the last", "more_than_ago": "more than .. ago", "within_next": "within the next", "before": "before", "after": "after",
    "has_all": "include all of", "has_any": "include any of", "has_none": "include none of", "known": "is known", "unknown": "is not known",
}  # fmt: skip
OF_NUMBERS = {"is": "exactly", "is_not": "other than"}


class ConditionWidget(forms.Textarea):
    """The condition as JSON, which a script shows as rows; without it, or where it is nested deeper than two groups, it is kept as it is."""

    class Media:
        js = ("console/rows.js", "console/conditions.js")

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        known = facts.known()
        about = {"name": name, "value": value or "", "id": (attrs or {}).get("id", name), "facts": [described(fact) for fact in known.values()]}
        return render_to_string("console/condition.html", about)


def described(fact: Fact) -> dict[str, Any]:
    """A fact as the form shows it."""
    labels = LABELS | (OF_NUMBERS if fact.type == "number" else {})
    return {
        "key": fact.key,
        "group": fact.group,
        "words": fact.words,
        "type": fact.type,
        "operators": [(name, labels[name]) for name in fact.operators],
        "choices": list(fact.offered.items()),
        "event": fact.event,
        "window": "" if not fact.over else "optional" if fact.sql else "required",
    }


class ConditionField(forms.Field):
    """A condition, as the JSON that is stored; None where none was asked for."""

    widget = ConditionWidget
    default_error_messages = {"required": "Add at least one condition."}

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) or value is None else json.dumps(value)

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        try:
            raw = read(value)
            check(raw)
        except Invalid as invalid:
            raise forms.ValidationError([told(fault) for fault in invalid.faults]) from None
        return raw

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(initial != (read(data) if data else None))
        except Invalid:
            return True


def read(text: str) -> Any:
    """What a form sent. Raises `conditions.Invalid`."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Invalid([Fault("", "This is no condition. Begin again with a new row.")]) from None


def check(raw: Any) -> conditions.Condition:
    """The condition, its events being of the catalogue. Raises `conditions.Invalid`."""
    found = facts.condition(raw)
    asked = {test.event for test in conditions.tests(found) if test.event}
    there = set(EventName.objects.filter(name__in=asked).values_list("name", flat=True))
    if missing := sorted(asked - there):
        raise Invalid([Fault("", f"No event “{name}” is in the catalogue. Choose one that is.") for name in missing])
    return found


def told(fault: Fault) -> str:
    """Where and what: `Row 2.1: Give a number.`"""
    places = [str(int(place) + 1) for place in re.findall(r"/(\d+)", fault.pointer)]
    return f"Row {'.'.join(places)}: {fault.detail}" if places else fault.detail


# ---------------------------------------------------------------- beside the form


@console("success.view_segment", methods=("POST",))
def seen(request: HttpRequest) -> HttpResponseBase:
    """What a condition says, how many suppliers it holds for, and some of them: of the reader's own, where they keep to their book."""
    text = request.POST.get("condition", "")
    try:
        found = check(read(text)) if text else None
    except Invalid as invalid:
        return page(request, "condition_seen", title="", faults=[told(fault) for fault in invalid.faults])
    number, some = look(request, found) if found else (None, [])
    names = Supplier.objects.prefetch_related("contacts").in_bulk(some)
    return page(
        request, "condition_seen", title="", sentence=found and facts.sentence(found), number=number, own=books.limited(request.user),
        some=[(pk, person(names[pk])) for pk in some], leavers=found and segments.asks_for_leavers(found), more=(number or 0) - len(some),
    )  # fmt: skip


def look(request: HttpRequest, condition: conditions.Condition) -> tuple[int | None, list[int]]:
    """None where it takes too long to count."""
    owner = request.user.pk if books.limited(request.user) else None
    try:
        with transaction.atomic():
            db.rows("select set_config('statement_timeout', %s, true)", [PATIENCE])
            return segments.sample(condition, at=clock.now(), owner=owner)
    except OperationalError:
        return None, []


FREQUENT = """select value from (
        select {value} as value from success_supplier s {joins} where {owned} order by s.id desc limit {most}
    ) x where value is not null group by 1 order by count(*) desc, 1 limit {offered}"""


@console("success.view_segment")
def values(request: HttpRequest) -> HttpResponseBase:
    """What can be typed for a fact: the most frequent values of the suppliers whom the reader may see, or the events of the catalogue."""
    fact = facts.known().get(request.GET.get("fact", ""))
    if fact is None or not (fact.event or fact.type == "text"):
        return JsonResponse({"values": []})
    if fact.event:
        names = EventName.objects.order_by("-total__ever", "name").values_list("name", flat=True)[:MOST_EVENTS]
        return JsonResponse({"values": sorted(names, key=str.lower)})
    bound, at = Bound(), clock.now()
    owned = f"s.owner_id = {bound(request.user.pk)}" if books.limited(request.user) else "true"
    joins, value = conditions.joins([fact], bound, at), conditions.expression(fact, bound, at)
    rows = db.rows(FREQUENT.format(value=value, joins=joins, owned=owned, most=LOOKED_AT, offered=OFFERED), bound.params)
    return JsonResponse({"values": [value for (value,) in rows]})


# ---------------------------------------------------------------- history


def in_words(change: Change) -> Change:
    """A change whose steps in a condition read as sentences."""
    parts = [step for step in change.steps if step.field in ("all", "any", "fact", "is", "value", "event", "days")]
    if not parts:
        return change
    before, after = ({step.field: value for step in parts if (value := getattr(step, side)) is not None} for side in ("before", "after"))
    others = tuple(step for step in change.steps if step not in parts)
    return replace(change, steps=(*others, Step("condition", spoken(before), spoken(after))))


def spoken(raw: dict[str, Any]) -> str | None:
    try:
        return facts.sentence(facts.condition(raw)) if raw else None
    except Invalid:
        return "something that is no longer known"
