"""Puts the demo in, through the same door as real traffic, and plays it on."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import groupby, islice, zip_longest
from typing import TypeVar

from django.db import transaction

from config.local.demo import removal, sarah, staff
from config.local.demo.days import Message, events_of, traits_of
from config.local.demo.removal import BROUGHT, COMPANY, DAY, remove_all, remove_suppliers, suppliers_of
from config.local.demo.source import alone, begin, complete, current, insist
from config.local.demo.world import HISTORY, Life, days, lives
from health import assessments, history
from health.scoring import WS142
from interventions import playbooks
from interventions.models import Playbook
from milestones import achievements
from success import activity, catalogue, db
from success.metrics import Chunk
from success.models import CustomField, Source, Supplier

T = TypeVar("T")
BATCH = 1_000
TOLD = timedelta(days=90)
HISTORIC = timedelta(hours=24)  # what is older when it arrives is told to nobody
Progress = Callable[[int, int], object]  # suppliers done of how many


class Refused(Exception):
    """The demo's own messages are not taken: the generator or the ingest is wrong."""


def load(*, at: datetime, progress: Progress = lambda done, of: None) -> int:
    """The demo is in, anew, as of an instant; says how many messages that took. What an earlier load left goes first.

    Raises:
        NotHere: DEBUG is off.
        Busy: the demo is being loaded, played or removed.
    """
    insist()
    with alone():
        remove_all(at=at)
        source = begin(at=at)
        staff.hire()
        CustomField.objects.get_or_create(name=COMPANY, defaults={"description": BROUGHT})
        catalogue.forget()
        activity.ensure_partitions(now=at)
        everybody = known(source, at=at)
        taken = load_accounts(everybody, source=source, at=at) + load_activity(everybody, source=source, at=at, progress=progress)
        place_sarah(source, at=at)
        score(at=at)
        tell_history(suppliers_of(source), at=at)
        reach_out(at=at)
        complete(source)
        know_the_sizes()
    return taken


def reach_out(*, at: datetime) -> None:
    """The playbooks are on, as in no other installation: what they do is to be seen, and all mail stays on this machine."""
    for playbook in Playbook.objects.exclude(pk__in=Playbook.objects.on()):
        playbooks.switch(playbook, on=True, at=at)


def know_the_sizes() -> None:
    """The planner knows how much came in: without that, a removal may wait minutes for a plan made for empty tables."""
    with db.patient():
        db.execute(f"analyze {', '.join(removal.tables())}")


def play(*, at: datetime) -> int:
    """The demo has gone on from its last event to now; says how many messages were new. Played twice, it counts once.

    Raises:
        NotHere: DEBUG is off.
        Busy: the demo is being loaded, played or removed.
    """
    insist()
    with alone():
        source = current()
        if source is None:
            return 0
        since = last_event(source, at=at)
        happened = (message for life in known(source, at=at) for message in told(life, since=since, until=at))
        in_order = sorted(happened, key=lambda message: (message.at, message.event is not None))
        return sum(
            take_in(list(messages), source=source, received_at=at, silent=old)
            for old, messages in groupby(in_order, key=lambda message: message.at < at - HISTORIC)
        )


def start(*, at: datetime, progress: Progress = lambda done, of: None) -> None:
    """The demo is in and up to date, and Sarah stands where the brief describes her."""
    source = current()
    if source is None:
        load(at=at, progress=progress)
        return
    play(at=at)
    with alone():
        sarah_now = place_sarah(source, at=at)
        score(at=at)
        tell_history(sarah_now, at=at)
        achievements.evaluate(at=at, only=sarah_now)  # what no counter decides, as the night did for all others


# ---------------------------------------------------------------- what there is to tell


def known(source: Source, *, at: datetime) -> tuple[Life, ...]:
    return lives(start=(source.created_at - HISTORY).date(), until=(at + DAY).date())


def told(life: Life, *, since: datetime, until: datetime) -> Iterator[Message]:
    """What happened at a supplier's from an instant to another, both included."""
    for day in days(max(life.known_from, (since - DAY).date()), (until + DAY).date()):
        for message in (*traits_of(life, day), *events_of(life, day)):
            if since <= message.at <= until:
                yield message


def last_event(source: Source, *, at: datetime) -> datetime:
    """When the last event of the source occurred; looked for among the last received, which are few."""
    latest = "select max(occurred_at) from success_activity where source_id = %s and received_at >= %s"
    recent = db.rows(latest, [source.pk, at - timedelta(hours=1)])[0][0]
    return recent or db.rows(latest, [source.pk, source.created_at])[0][0] or source.created_at


# ---------------------------------------------------------------- through the door


def load_accounts(everybody: Sequence[Life], *, source: Source, at: datetime) -> int:
    """Accounts come to be and change, each change received on its day: so since when a supplier is gone or back is as in life."""
    changes = sorted((message for life in everybody for message in account(life, until=at)), key=lambda message: message.at)
    by_day = groupby(changes, key=lambda message: message.at.date())
    return sum(take_in(list(messages), source=source, received_at=min(at, end_of(day)), silent=True) for day, messages in by_day)


def account(life: Life, *, until: datetime) -> list[Message]:
    """What became of an account up to an instant; of renewals in a row only the last, which says all, and at best together with the beginning."""
    changes = [message for day in days(life.known_from, (until + DAY).date()) for message in traits_of(life, day) if message.at <= until]
    kept = [change for change, after in zip_longest(changes, changes[1:]) if after is None or not (change.routine and after.routine)]
    if len(kept) > 1 and kept[1].routine:
        return [replace(kept[0], traits=kept[0].traits | kept[1].traits), *kept[2:]]
    return kept


def end_of(day: date) -> datetime:
    return datetime.fromisoformat(f"{day + DAY}T00:00:00+00:00")


def load_activity(everybody: Sequence[Life], *, source: Source, at: datetime, progress: Progress) -> int:
    """All that happened, supplier by supplier: so a batch touches few rows of the roll-ups."""
    taken = 0
    for batch in batches(events_until(everybody, until=at, progress=progress), BATCH):
        taken += take_in(batch, source=source, received_at=at, silent=True)
    return taken


def events_until(everybody: Sequence[Life], *, until: datetime, progress: Progress) -> Iterator[Message]:
    for n, life in enumerate(everybody, 1):
        for day in days(life.known_from, (until + DAY).date()):
            yield from (message for message in events_of(life, day) if message.at <= until)
        progress(n, len(everybody))


def batches(many: Iterable[T], size: int) -> Iterator[list[T]]:
    left = iter(many)
    while batch := list(islice(left, size)):
        yield batch


def take_in(messages: Sequence[Message], *, source: Source, received_at: datetime, silent: bool) -> int:
    """The messages are in, as if their product had sent them; says how many were new."""
    new = 0
    for batch in batches(messages, BATCH):
        with db.history() if silent else nullcontext():
            receipt = activity.take([message.json() for message in batch], kind=None, source=source, received_at=received_at)
        if receipt.refused:
            raise Refused(receipt.refused[0])
        new += receipt.accepted
    return new


def place_sarah(source: Source, *, at: datetime) -> list[int]:
    """Sarah's two weeks end now, whatever became of her before; her id. A real supplier of that name is left alone."""
    with transaction.atomic():
        found = Supplier.objects.filter(external_id=sarah.ID).first()
        if found is not None and found.source_id != source.pk:
            return []
        if found is not None:
            remove_suppliers([found.pk], source, at=at)
        take_in(sarah.messages(at=at), source=source, received_at=at, silent=True)
        return list(Supplier.objects.filter(external_id=sarah.ID).values_list("pk", flat=True))


# ---------------------------------------------------------------- what health makes of it


def score(*, at: datetime) -> None:
    """All that the demo touched has its score."""
    while assessments.assess_touched(at=at).assessed:
        pass


def tell_history(ids: Sequence[int], *, at: datetime) -> None:
    """The scores of the past 90 days are there for these suppliers, and for no others."""
    first, last = (at - TOLD).date(), (at - DAY).date()
    for chunk in unbroken(ids):
        with db.patient():
            history.write(chunk, history.days_of(first, last, overwrite=False), scorecard=WS142)
            history.date_levels(chunk)


def unbroken(ids: Sequence[int]) -> Iterator[Chunk]:
    """The ids in ranges that have no id of anybody else between them."""
    for _, run in groupby(enumerate(sorted(ids)), key=lambda place: place[1] - place[0]):
        for part in batches((supplier for _, supplier in run), BATCH):
            yield Chunk(part[0], part[-1])
