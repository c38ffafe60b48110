"""P6: what it costs that milestones are seen in the transaction of the activity."""

import random
from collections.abc import Callable
from itertools import count

from django.db import transaction

from milestones import achievements
from milestones.models import Milestone, Threshold
from success import db
from tests.bench import ingest, population, traffic
from tests.bench.databases import Databases
from tests.bench.figures import Figure, Section, section
from tests.bench.ingest import BATCHES, Sender, sender
from tests.bench.timing import interleaved, seconds

MANY, SINGLE, AWARDS = 1_000, 200, 20_000
WATCHES = {"success_eventuse": ("milestones_events_added", "milestones_events_changed"), "success_facts": ("milestones_facts_changed",)}
NEXT = count(1)


def p6(sizes: list[int], rounds: int, found: Databases) -> Section:
    return section(
        "P6 Milestones",
        f"Batches of 1,000 by the statement of P4, {BATCHES} a round: with {MANY:,} milestones over the counters that move, and with the built-in ladder, beside "
        "the same with the watch taken off; one event in ten to twenty reaches something. "
        f"Then {SINGLE} events, each its own transaction and reaching a milestone, beside the same reaching none with the watch off. "
        f"Then {AWARDS:,} achievements announced, each a published event, in batches.",
        [figure for size in sizes for figure in of_size(size, rounds, found)],
    )


def of_size(size: int, rounds: int, found: Databases) -> list[Figure]:
    one = sender(size, found)
    ladder = list(Threshold.objects.values_list("pk", flat=True))
    many, none, few, off = interleaved(
        rounds,
        lambda: watched(one.stored, lambda: define_many(ladder)),
        lambda: unwatched(one.stored),
        lambda: watched(one.stored, lambda: Threshold.objects.exclude(pk__in=ladder).delete()),
        lambda: unwatched(one.stored),
    )
    single, without = interleaved(rounds, lambda: watched(lambda: reaching(one), lambda: None), lambda: unwatched(lambda: reaching(one)))
    assert not db.rows("select * from milestones_fault"), "the watch failed"
    events = BATCHES * traffic.SIZE
    return [
        Figure(f"{size:,} suppliers, {MANY:,} milestones", many, "no watch", none, events, "event", 2),
        Figure(f"{size:,} suppliers, the ladder", few, "no watch", off, events, "event", 2),
        Figure(f"{size:,} suppliers, one event that reaches one", single, "no watch", without, SINGLE, "commit", 1.5),
        Figure(f"{size:,} suppliers, announced", announced(one), "activity that reaches none", without, AWARDS, "award", None),
    ]


def watched(work: Callable[[], float], before: Callable[[], object]) -> float:
    before()
    db.execute("analyze milestones_threshold")
    return work()


def unwatched(work: Callable[[], float]) -> float:
    switch("disable")
    try:
        return work()
    finally:
        switch("enable")


def switch(how: str) -> None:
    for table, triggers in WATCHES.items():
        for trigger in triggers:
            db.execute(f"alter table {table} {how} trigger {trigger}")


def define_many(ladder: list[int]) -> None:
    """A thousand milestones, most of them at heights of counters that suppliers pass every day."""
    if Threshold.objects.exclude(pk__in=ladder).exists():
        return
    generator, ids = random.Random(6), list(population.event_ids().values())
    for n in range(Milestone.objects.count(), MANY):
        place = next(NEXT)
        one = Milestone.objects.create(key=f"bench-{place}", name=f"bench {place}", words="", requirement={"count": "clients", "at_least": 1}, active=False)
        kind, of, height = ("clients", 0, generator.randint(1, 50)) if n % 10 == 0 else ("event", generator.choice(ids), generator.randint(1, 400))
        Threshold.objects.create(milestone=one, kind=kind, of=of, n=height, counter=kind, whole=True)


def reaching(one: Sender) -> float:
    """Events that nobody had before, for each of which a milestone waits."""
    made = []
    name = f"Bench {next(NEXT)}"
    event = db.rows("insert into success_eventname (name, meaning, kept, description) values (%s, 'none', '{}', '') returning id", [name])[0][0]
    milestone = Milestone.objects.create(key=f"bench-{next(NEXT)}", name=name, words="", requirement={"count": f"event:{name}", "at_least": 1}, active=False)
    Threshold.objects.create(milestone=milestone, kind="event", of=event, n=1, counter=f"event:{name}", whole=True)
    for batch in one.batches(1):
        for supplier, message in enumerate(batch[:SINGLE], start=1):
            own = traffic.Message(message.id, supplier, name, message.at, None)
            made.append(traffic.as_parameters([own], source=one.source, at=one.at, events={name: event}))
    return seconds(lambda: [ingest.store(parameters) for parameters in made])


def announced(one: Sender) -> float:
    """Seconds to tell so many, as the job does."""
    with transaction.atomic():
        db.execute("update milestones_achievement set announced_at = known_at where announced_at is null")
        milestone = Milestone.objects.create(key=f"bench-{next(NEXT)}", name="bench", words="", requirement={"count": "clients", "at_least": 1}, active=False)
        ids = [supplier for (supplier,) in db.rows("select id from success_supplier where success_in_service(status, internal) order by id limit %s", [AWARDS])]
        achievements.achieve(ids, milestone, silent=False, at=one.at)

    def tell() -> None:
        while achievements.announce(at=one.at).n:
            pass

    return seconds(tell) / len(ids) * AWARDS
