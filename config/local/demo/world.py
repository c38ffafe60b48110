"""The demo's suppliers and the course of each one's life, drawn from a seed. Pure.

Those of the first day have been with WedSync for a while; others sign up day by day, for as long as the demo lives, so the week always has its newcomers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from random import Random

from config.local.demo.people import Person, draw

SEED = "WedSync 1"
HISTORY = timedelta(days=182)
FIRST_DAY = 1_345  # suppliers who are there already
SIGN_UPS = (4, 5, 4, 4, 3, 2, 3)  # from Monday to Sunday
TRIAL = 30  # days
FADES_OVER = 45  # days
NEVER = date.max

FEATURES = ("Clients Imported", "Form Created", "Template Used", "Journey Created")  # in the order people get to them
PLANS = {"starter": 19.0, "pro": 39.0, "studio": 79.0}
OWNERS = ("maya.lindqvist", "tom.okafor")
# story: how many in a hundred of the first day's and of the newcomers, how eager from .. to, how many features
STORIES: dict[str, tuple[int, int, float, float, int, int]] = {
    "thriving": (38, 30, 0.9, 1.2, 3, 4),
    "steady": (24, 24, 0.58, 0.8, 3, 4),
    "seasonal": (6, 4, 0.6, 0.9, 3, 4),
    "slow": (18, 14, 0.22, 0.42, 2, 3),
    "dormant": (5, 4, 0.02, 0.08, 1, 2),
    "stalled": (0, 20, 0.5, 0.9, 1, 2),
}


@dataclass(frozen=True, slots=True)
class Life:
    """One supplier and what is to become of it."""

    id: str
    seed: int
    person: Person
    story: str
    energy: float
    features: tuple[tuple[str, int], ...]  # and on which of her days she first uses each
    clients: int
    completion: float
    plan: str
    yearly: bool
    owner: str
    created_at: datetime
    known_from: date
    internal: bool
    fades: date
    recovers: date
    leaves: date
    returns: date
    pauses: date

    @property
    def newcomer(self) -> bool:
        return self.created_at.date() >= self.known_from - timedelta(days=1)

    def here(self, day: date) -> bool:
        """Whether she uses the product on that day at all."""
        return self.known_from <= day < self.pauses and not self.leaves <= day < self.returns

    def eagerness(self, day: date) -> float:
        """How much she does on an average day of hers, from 0 to a little over 1."""
        if not self.here(day):
            return 0.0
        age = (day - self.known_from).days
        if self.story == "stalled":
            return self.energy if age < 4 or day >= self.returns else 0.0
        faded = 1.0 if day < self.fades or day >= min(self.recovers, self.returns) else max(0.04, 1 - (day - self.fades).days / FADES_OVER)
        start = 1.5 if self.newcomer and age < 14 and self.story != "dormant" else 1.0
        return self.energy * faded * start * (0.55 + 0.6 * season(day, south=self.person.south) if self.story == "seasonal" else 1.0)


def season(day: date, *, south: bool) -> float:
    """How much of a wedding season a day is in, from 0 to 1: May to September, and half a year later in the south."""
    month = (day.month + 5) % 12 + 1 if south else day.month
    return (0.1, 0.2, 0.35, 0.6, 0.9, 1.0, 1.0, 1.0, 0.9, 0.5, 0.2, 0.25)[month - 1]


@lru_cache(maxsize=8)
def lives(*, start: date, until: date) -> tuple[Life, ...]:
    """Everybody who is known by the end of a day, in a demo whose history starts on `start`."""
    return (*(resident(n, start) for n in range(FIRST_DAY)), *(life for day in days(start, until) for life in newcomers(day)))


def days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


def resident(n: int, start: date) -> Life:
    """One of the first day's, whose time before it is not told."""
    rng = Random(f"{SEED} resident {n}")
    created = datetime.combine(start, datetime.min.time(), UTC) - timedelta(days=rng.uniform(40, 1_300))
    return life(rng, created_at=created, known_from=start, new=False)


@lru_cache(maxsize=1_000)
def newcomers(day: date) -> tuple[Life, ...]:
    """Those who sign up on a day."""
    made = []
    for n in range(SIGN_UPS[day.weekday()]):
        rng = Random(f"{SEED} newcomer {day} {n}")
        created = datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=min(22.9, max(5.5, rng.gauss(14, 4))))
        made.append(life(rng, created_at=created, known_from=day, new=True))
    return tuple(made)


def life(rng: Random, *, created_at: datetime, known_from: date, new: bool) -> Life:
    person = draw(rng)
    story = rng.choices(list(STORIES), [weights[1 if new else 0] for weights in STORIES.values()])[0]
    _, _, least, most, fewest, all_of = STORIES[story]
    fades, recovers, leaves, returns = fate(rng, story, created_at=created_at, known_from=known_from, new=new)
    return Life(
        id="sup_" + "".join(rng.choices("abcdefghjkmnpqrstuvwxyz23456789", k=12)),
        seed=rng.getrandbits(40) << 22,
        person=person,
        story=story,
        energy=rng.uniform(least, most),
        features=tuple((name, place * rng.randint(1, 4)) for place, name in enumerate(FEATURES[: rng.randint(fewest, all_of)])),
        clients=rng.choices((3, 4, 6, 8, 11, 17, 32), (14, 24, 28, 18, 8, 4, 4))[0],
        completion=rng.betavariate(12, 3) if story in ("thriving", "steady", "seasonal") else rng.betavariate(6, 5),
        plan=rng.choices(list(PLANS), (45, 40, 15))[0],
        yearly=rng.random() < 0.7,
        owner=rng.choices(("", *OWNERS), (4, 3, 3))[0],
        created_at=created_at,
        known_from=known_from,
        internal=not new and rng.random() < 0.004,
        fades=fades,
        recovers=recovers,
        leaves=leaves,
        returns=returns,
        pauses=known_from + timedelta(days=rng.randrange(1, 400)) if not new and rng.random() < 0.015 else NEVER,
    )


def fate(rng: Random, story: str, *, created_at: datetime, known_from: date, new: bool) -> tuple[date, date, date, date]:
    """When she fades, recovers, leaves and returns; most never do."""
    if story == "stalled":
        ends = created_at.date() + timedelta(days=TRIAL)
        return NEVER, NEVER, ends, ends + timedelta(days=rng.randrange(10, 50)) if rng.random() < 0.08 else NEVER
    if story in ("slow", "dormant"):
        return NEVER, NEVER, NEVER, NEVER
    fades = known_from + timedelta(days=int((TRIAL + 15 if new else -60) + min(rng.expovariate(1 / 900), 20_000)))
    if rng.random() < 0.25:
        return fades, fades + timedelta(days=rng.randrange(40, 100)), NEVER, NEVER
    leaves = fades + timedelta(days=rng.randrange(62, 140))
    return fades, NEVER, leaves, leaves + timedelta(days=rng.randrange(20, 70)) if rng.random() < 0.2 else NEVER
