"""The chaos itself, beside servers that `tests.chaos.__main__` starts, and starts again when they are stopped here."""

import argparse
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import django
import redis
from django.core.management import call_command

django.setup()

from django.apps import apps  # noqa: E402
from django.conf import settings  # noqa: E402
from django.db import DatabaseError, connection, transaction  # noqa: E402

from success import clock, db, due, events, timetable  # noqa: E402
from success.models import Supplier  # noqa: E402
from success.models.due import NEED_A_PERSON  # noqa: E402
from tests.chaos import worker, workers  # noqa: E402
from tests.chaos.checks import Check, Course, checks  # noqa: E402
from tests.chaos.models import Call, Told  # noqa: E402
from tests.chaos.scheduled import CALLS  # noqa: E402
from tests.chaos.sink import Sink  # noqa: E402
from tests.chaos.subscribers import ALL, FAILING, TENTH  # noqa: E402
from tests.factories import SupplierFactory  # noqa: E402

SUPPLIERS = 50


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How much, and how it is disturbed. Work comes in as many waves as there are kills."""

    events: int
    calls: int
    kills: int
    freezes: int
    pause: float  # seconds between two kills, at most
    hold: float  # seconds of a lease
    patience: float  # seconds that are left for the rest
    celery: bool


FULL = Plan(events=10_000, calls=20_000, kills=50, freezes=3, pause=1.6, hold=30, patience=60, celery=True)
SHORT = Plan(events=120, calls=160, kills=4, freezes=0, pause=0.2, hold=0.6, patience=15, celery=False)


@dataclass(frozen=True)
class Happened(events.Fact):
    """Something that everybody is told."""

    name = ALL


@dataclass(frozen=True)
class Tenth(events.Fact):
    """Something that the one who always fails is told, too."""

    name = TENTH


# ---------------------------------------------------------------- the work


def publish(plan: Plan, suppliers: list[int]) -> None:
    """A wave of events and calls, in one transaction, as often as it takes."""
    size, calls = plan.events // plan.kills, plan.calls // plan.kills

    def work() -> None:
        at = clock.now()
        with transaction.atomic():
            facts = [(random.choice(suppliers), Tenth() if n % 10 == 0 else Happened()) for n in range(size)]
            events.publish_all(facts, at=at)
            Call.objects.bulk_create(Call(supplier_id=random.choice(suppliers), due_at=at) for _ in range(calls))
            due.hint(CALLS)

    insistently(work)


def insistently(work: Callable[[], object]) -> None:
    """Done, however often the database is away meanwhile."""
    for _ in range(600):
        try:
            work()
        except DatabaseError:
            connection.close()
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the database does not come back")


def replay() -> None:
    """Deliveries are written once more for all that happened, as whoever adds a subscriber would: those that are there stay the only ones."""
    db.execute(
        """insert into success_delivery (event_id, supplier_id, subscriber, due_at) select event_id, supplier_id, subscriber, due_at from success_delivery
           order by event_id, subscriber on conflict do nothing"""
    )


def left() -> int:
    """Rows that somebody still has to do: not those of the one who always fails, nor those that wait for a person."""
    return int(
        db.rows(
            """select (select count(*) from success_delivery where state in ('queued', 'claimed') and subscriber <> %s)
                    + (select count(*) from chaos_call where state in ('queued', 'claimed'))""",
            [FAILING],
        )[0][0]
    )


def settled(*, seconds: float, but: int = 0) -> float:
    """How long it takes until nothing is left, or no more than so many rows; at most so long."""
    began, found = time.monotonic(), [but + 1]

    def look() -> None:
        found[0] = left()

    while found[0] > but and time.monotonic() - began <= seconds:
        insistently(look)
        time.sleep(0.1)
    return time.monotonic() - began if found[0] <= but else float("inf")


def ask_again(*, seconds: float) -> None:
    """A person has what nobody knows of tried again, and once more where the worker died of that, too; at most so long."""
    began = time.monotonic()
    while (waiting := Call.objects.filter(state__in=NEED_A_PERSON)) and time.monotonic() - began <= seconds:
        due.all_again(waiting, at=clock.now())
        settled(seconds=seconds)


# ---------------------------------------------------------------- the disturbance


def stop_postgres() -> None:
    """Immediately: nobody is waited for, nothing is written first. Whoever started it starts it again."""
    connection.close()
    os.kill(int(Path(os.environ["CHAOS_POSTMASTER"]).read_text().split()[0]), signal.SIGQUIT)


def flush() -> None:
    redis.Redis.from_url(settings.CELERY_BROKER_URL).flushall()


def disturb(plan: Plan, at_work: workers.Workers, suppliers: list[int], *, stop: bool) -> int:
    """All waves are published and all disturbances over; says how many rows they can have cut off."""
    cut_off, frozen, size = 0, [], (2 * plan.events + plan.calls) // plan.kills
    for wave in range(plan.kills):
        publish(plan, suppliers)
        time.sleep(random.uniform(plan.pause / 3, plan.pause))
        at_work.kill_one()
        cut_off += 2  # where a whole worker goes, both its processes do
        if plan.freezes and wave % (plan.kills // plan.freezes) == plan.kills // plan.freezes // 2:
            frozen.append(at_work.freeze_one(seconds=plan.hold * 1.3))
            cut_off += 1
        if wave == plan.kills // 2:
            flush()
            insistently(replay)
        if stop and wave == plan.kills * 7 // 10:
            stop_postgres()
            cut_off += len(at_work.children())
        settled(seconds=plan.hold / 2, but=3 * size)
    for thread in frozen:
        thread.join()
    return cut_off


def chaos(plan: Plan, *, broken: str, log: Path) -> list[Check]:
    """One run from nothing to the checks."""
    db.execute("truncate success_event, success_supplier, success_jobrun, chaos_call, chaos_told cascade")
    suppliers = [one.pk for one in SupplierFactory.create_batch(SUPPLIERS)]
    if broken == "no_unique_index":
        db.execute("alter table success_delivery drop constraint delivery_once")
    sink, deaths, patience = Sink(), log.with_suffix(".deaths"), 2 if broken else plan.patience
    deaths.write_bytes(b"")
    with staff(plan, sink, broken, deaths, log) as at_work:
        disturbances = disturb(plan, at_work, suppliers, stop=not broken)
        seconds = settled(seconds=patience)
        first = {row: len(keys) for row, keys in sink.came.items()}
        unknown = Call.objects.filter(state="unknown").count()
        ask_again(seconds=patience)
    sink.shutdown()
    disturbances += deaths.stat().st_size
    return list(checks(Course(first, dict(sink.came), unknown, disturbances, seconds, patience)))


def staff(plan: Plan, sink: Sink, broken: str, deaths: Path, log: Path) -> workers.Workers:
    """Who does the work."""
    if not plan.celery:
        return workers.Forks(partial(worker.work, sink=sink.port, broken=broken, deaths=deaths))
    return workers.Workers([workers.WORKER, workers.WORKER, workers.BEAT], log=log, CHAOS_SINK=str(sink.port), CHAOS_BREAK=broken)


# ---------------------------------------------------------------- the command


@contextmanager
def prepared() -> Iterator[None]:
    """The database has our tables and the schedule our kind."""
    call_command("migrate", verbosity=0)
    with connection.schema_editor() as editor:
        for model in (Call, Told):
            editor.create_model(model)
    row = timetable.Row(job=CALLS, queue="send", every=timedelta(seconds=2), description="Calls the sink")
    timetable.enter(row, models=lambda name: apps.get_model("django_celery_beat", name))
    yield
    connection.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--short", action="store_true", help="seconds instead of minutes")
    parser.add_argument("--break", dest="broken", nargs="*", default=[""], help="invariants to break, a run for each")
    asked = parser.parse_args()
    plan = SHORT if asked.short else FULL
    with prepared():
        for broken in asked.broken:
            began = time.monotonic()
            found = chaos(plan, broken=broken, log=Path(os.environ["CHAOS_LOG"]))
            told = {"broken": broken, "plan": asdict(plan), "took": time.monotonic() - began, "suppliers": Supplier.objects.count()}
            sys.stdout.write(json.dumps({**told, "checks": [{**asdict(check), "ok": check.ok, "cells": check.cells()} for check in found]}) + "\n")
            sys.stdout.flush()
            if broken == "no_unique_index":
                db.execute("truncate success_event cascade")
                db.execute("alter table success_delivery add constraint delivery_once unique (event_id, subscriber)")


if __name__ == "__main__":
    main()
