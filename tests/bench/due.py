"""Due rows: deliveries and rows of a network kind a second, and a claim among many."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from success import clock, db, due, events
from success.models import Delivery, Event
from tests.bench.databases import Databases
from tests.bench.figures import Figure, Section, section
from tests.bench.timing import interleaved, seconds

ROWS = 2_000
MANY = 100_000


@dataclass(frozen=True)
class Measured(events.Fact):
    """Something that one subscriber is told."""

    name = "bench.measured"


def due_rows(sizes: list[int], rounds: int, found: Databases) -> Section:
    found.use(sizes[0])
    suppliers = [key for (key,) in db.rows("select id from success_supplier order by id limit 1000")]
    with subscribed():
        of_kind = due.registered()[events.DELIVERIES]
        outside = replace(of_kind, transactional=False, carry_out=accepted)
        delivering, alone, outside_time, within = interleaved(
            rounds,
            lambda: timed(suppliers, lambda: run(of_kind)),
            lambda: timed(suppliers, handlers_alone),
            lambda: timed(suppliers, lambda: run(outside)),
            lambda: timed(suppliers, lambda: run(replace(outside, transactional=True))),
        )
        publishing, telling = interleaved(rounds, lambda: timed(suppliers, lambda: None, publish=True), lambda: timed(suppliers, one_by_one(suppliers)))
        few, many, plan = claims(of_kind, suppliers, rounds)
    db.execute("truncate success_event, success_delivery")  # what is measured next has none of this before it
    note = (
        f"One process, {ROWS:,} rows of a thousand suppliers, {sizes[0]:,} suppliers in the database. A subscriber writes one row. "
        f"Claims are of {of_kind.batch} rows, for which {due.WINDOW * of_kind.batch:,} are looked over; among {MANY:,} the database reads them by {plan}."
    )
    return section(
        "Due work",
        note,
        [
            Figure("deliveries to a subscriber", delivering, "its handler alone, a transaction each", alone, ROWS, "delivery"),
            Figure("rows of a network kind, the call not counted", outside_time, "the same in a transaction", within, ROWS, "row"),
            Figure(f"publishing {ROWS:,} events at once", publishing, "one by one, a transaction each", telling, ROWS, "event"),
            Figure(f"a claim of {of_kind.batch} among {MANY:,} queued", many, f"among {ROWS:,}", few, goal=2.0),
        ],
    )


@contextmanager
def subscribed() -> Iterator[None]:
    before = dict(events._subscriptions)
    events.subscribe(Measured.name, by="bench", handle=note)
    try:
        yield
    finally:
        events._subscriptions.clear()
        events._subscriptions.update(before)


def note(*, event: Event, at: datetime) -> None:
    Event.objects.create(name="bench.told", supplier_id=event.supplier_id, at=at, payload={})


def accepted(row: Delivery, *, at: datetime) -> due.Outcome:
    return due.Accepted()


def run(kind: due.Kind) -> None:
    done = due.run(kind, at=clock.now(), patience=600)
    assert done["accepted"] == ROWS, done


def handlers_alone() -> None:
    for event in Event.objects.filter(name=Measured.name):
        with transaction.atomic():
            note(event=event, at=event.at)


def one_by_one(suppliers: list[int]) -> Callable[[], None]:
    def publish() -> None:
        for n in range(ROWS):
            with transaction.atomic():
                events.publish(Measured(), supplier=suppliers[n % len(suppliers)], at=clock.now())

    return publish


def timed(suppliers: list[int], work: Callable[[], None], *, publish: bool = False) -> float:
    """Seconds of the work over fresh rows, or of writing them."""
    db.execute("truncate success_event, success_delivery")
    db.execute("vacuum success_delivery")
    wrote = seconds(lambda: fill(suppliers, ROWS))
    db.execute("analyze success_delivery")
    return wrote if publish else seconds(work)


def fill(suppliers: list[int], rows: int) -> None:
    with transaction.atomic():
        events.publish_all([(suppliers[n % len(suppliers)], Measured()) for n in range(rows)], at=clock.now())


def claims(kind: due.Kind, suppliers: list[int], rounds: int) -> tuple[float, float, str]:
    """Seconds of a claim among few and among many, and how the plan of the latter reads."""
    taken = []
    for rows in (ROWS, MANY):
        db.execute("truncate success_event, success_delivery")
        fill(suppliers, rows)
        db.execute("vacuum (analyze) success_delivery")
        taken.append(min(seconds(lambda: due.claim(kind, at=clock.now())) for _ in range(max(rounds, 5))))
    params = {"at": clock.now(), "window": due.WINDOW * kind.batch, "batch": kind.batch, "hold": due.HOLD}
    plan = "\n".join(line for (line,) in db.rows("explain (analyze, costs off, timing off) " + due.CLAIM.format(table=kind.table, also=kind.also), params))
    return taken[0], taken[1], "a range of the index delivery_due" if "using delivery_due" in plan and "Seq Scan" not in plan else "**no index**"
