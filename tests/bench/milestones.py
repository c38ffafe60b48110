"""P6: what it costs that milestones are seen in the transaction of the activity."""

import random
from collections.abc import Callable
from datetime import datetime
from itertools import count

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
WITH_CLIENTS = """select s.id from success_supplier s join success_facts f on f.supplier_id = s.id
    where success_in_service(s.status, s.internal) and f.clients_total > 0 order by 1 limit %s"""


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
    db.execute("update milestones_achievement set announced_at = known_at where announced_at is null")
    achieved = reached_by_all(AWARDS, at=one.at)
    return seconds(lambda: tell(at=one.at)) / achieved * AWARDS


def reached_by_all(suppliers: int, *, at: datetime) -> int:
    """A new milestone that the first so many suppliers in service who have a client reach, as the recount grants them; says how many did."""
    milestone = Milestone.objects.create(key=f"bench-{next(NEXT)}", name="bench", words="", requirement={"count": "clients", "at_least": 1}, active=False)
    ids = db.rows(WITH_CLIENTS, [suppliers])
    return achievements.grant_missing(milestone, only=[key for (key,) in ids], silent=False, at=at)


def tell(*, at: datetime) -> None:
    """All that waits to be told."""
    while achievements.announce(at=at).n:
        pass
