"""Two subscribers that write down what they are told, and one that writes it down and then always fails."""

from datetime import datetime
from functools import partial

from success import events
from success.models import Event
from tests.chaos.models import Told

ALL, TENTH = "chaos.happened", "chaos.tenth"  # every event, and every tenth
GOOD, FAILING = ("chaos.first", "chaos.second"), "chaos.failing"


class Fails(Exception):
    """As it always does."""


def note(*, event: Event, at: datetime, by: str) -> None:
    Told.objects.create(event=event, subscriber=by)


def fail(*, event: Event, at: datetime) -> None:
    note(event=event, at=at, by=FAILING)
    raise Fails


for good in GOOD:
    for name in (ALL, TENTH):
        events.subscribe(name, by=good, handle=partial(note, by=good))
events.subscribe(TENTH, by=FAILING, handle=fail)
