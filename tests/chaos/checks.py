"""What must hold after it all, each as a number beside the most it may be."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from success import db
from tests.chaos.subscribers import ALL, FAILING, GOOD, TENTH

TOLD = """with due as (select e.id, s.subscriber from success_event e cross join unnest(%(good)s::text[]) as s (subscriber) where e.name = any(%(names)s)),
    told as (select event_id as id, subscriber, count(*) as n from chaos_told where subscriber <> %(failing)s group by 1, 2)
    select count(*) filter (where told.n is null), count(*) filter (where told.n > 1), count(*) from due left join told using (id, subscriber)"""
FAILED = """select (select count(*) from success_event where name = %(tenth)s) - count(*) filter (where state in ('queued', 'claimed', 'refused')),
    (select count(*) from chaos_told where subscriber = %(failing)s), count(*) from success_delivery where subscriber = %(failing)s"""


@dataclass(frozen=True, slots=True)
class Check:
    """One invariant. `key` names it for the tests that break it."""

    key: str
    what: str
    found: float
    most: float
    of: str = ""

    @property
    def ok(self) -> bool:
        return self.found <= self.most

    def cells(self) -> tuple[str, ...]:
        found = f"{self.found:,.1f}" if isinstance(self.found, float) else f"{self.found:,}"
        return self.what, found + self.of, f"{self.most:,.0f}", "holds" if self.ok else "**broken**"


@dataclass(frozen=True, slots=True)
class Course:
    """What happened, apart from what stands in the database: `first` is the requests of each row before a person asked for the unknown ones again."""

    first: Mapping[int, int]
    keys: Mapping[int, list[str]]  # of each row, of all its requests
    unknown: int
    disturbances: int
    seconds: float
    patience: float


def checks(course: Course) -> Iterator[Check]:
    names = {"good": list(GOOD), "names": [ALL, TENTH], "tenth": TENTH, "failing": FAILING}
    lost, doubled, deliveries = db.rows(TOLD, names)[0]
    yield Check("lost", "deliveries lost", lost, 0, f" of {deliveries:,}")
    yield Check("doubled", "deliveries made twice, by subscribers that touch only the database", doubled, 0, f" of {deliveries:,}")
    missing, written, failing = db.rows(FAILED, names)[0]
    yield Check(
        "failing",
        "deliveries of the subscriber that always fails that are not on record as waiting for another try or a person",
        missing,
        0,
        f" of {failing:,}",
    )
    yield Check("rolled_back", "words of that subscriber that outlived its failure", written, 0)
    rows = dict(db.rows("select id, state from chaos_call"))
    unheard = sum(state != "accepted" or row not in course.keys for row, state in rows.items())
    yield Check("calls_lost", "network rows lost", unheard, 0, f" of {len(rows):,}")
    yield Check("repeated", "network rows sent twice without a person asking", sum(n > 1 for n in course.first.values()), 0, f" of {len(rows):,}")
    yield Check("keys", "network rows that came under more than one key", sum(len(set(keys)) > 1 for keys in course.keys.values()), 0, f" of {len(rows):,}")
    repeats = sum(len(keys) - 1 for keys in course.keys.values())
    yield Check(
        "unknown", f"network rows that ended `unknown` and a person had to look at (of those {repeats:,} had arrived)", course.unknown, course.disturbances
    )
    yield Check("in_time", "seconds from the last disturbance until all was done", course.seconds, course.patience)
