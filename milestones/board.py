"""The ladder over many suppliers: how many are how far, where they stall, and how long it took them."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from milestones import definitions, measures
from milestones.models import Milestone
from milestones.progress import STUCK_AFTER
from success import db
from success.stages import IN_SERVICE, KNOWN_SINCE

MOST = 62  # rungs told apart: as many as there are bits


@dataclass(frozen=True, slots=True)
class Level:
    """One rung: how many reached it, whose next it is, and who of these stalls."""

    milestone: Milestone
    reached: int
    next: int
    stalled: int


@dataclass(frozen=True, slots=True)
class Board:
    suppliers: int
    top: int  # who have reached all
    levels: list[Level]


@dataclass(frozen=True, slots=True)
class Whom:
    """Suppliers in service: all, an owner's or nobody's; and who signed up in some time."""

    owner: int | None = None
    unassigned: bool = False
    since: datetime | None = None
    until: datetime | None = None

    @property
    def where(self) -> str:
        among = [IN_SERVICE]
        among += ["s.owner_id = %(owner)s"] if self.owner else ["s.owner_id is null"] if self.unassigned else []
        among += [f"{KNOWN_SINCE} >= %(since)s and {KNOWN_SINCE} < %(until)s"] if self.since else []
        return " and ".join(among)

    @property
    def params(self) -> dict[str, Any]:
        return {"owner": self.owner, "since": self.since, "until": self.until}


# Of each supplier the rungs she has reached as bits, and whether the last is long ago: the many suppliers come down to the few ways to have climbed.
# The bit of a rung stands in an array at the place of its id: a join to the rungs would lose the order in which the index has the suppliers.
BIT = "case when r.milestone_id between %(first)s and %(last)s then (%(bits)s::bigint[])[(r.milestone_id - %(first)s)::integer + 1] end"
WAYS = f"""with climbed as (
        select r.supplier_id, max(r.achieved_at) as moved_at, bit_or({BIT}) filter (where r.revoked_at is null) as way,
               bit_or({BIT}) filter (where r.revoked_at is not null) as gone
        from milestones_achievement r group by r.supplier_id
    )
    select coalesce(c.way, 0), coalesce(c.gone, 0) | ({{barred}}), coalesce(c.moved_at, {KNOWN_SINCE}) < %(moved)s, {{what}}
    from success_supplier s left join climbed c on c.supplier_id = s.id
    where {{where}} group by 1, 2, 3"""
# Whole days, grouped before they are ordered: the quartiles come from few rows. The planner expects many, and would sort all achievements.
DAYS = f"""with took as materialized (
        select r.milestone_id, greatest(0, date_part('day', r.achieved_at - {KNOWN_SINCE}))::integer as days, count(*) as n
        from milestones_achievement r join success_supplier s on s.id = r.supplier_id
        where r.revoked_at is null and {{where}} group by 1, 2
    ), summed as (
        select *, sum(n) over (partition by milestone_id order by days) as so_far, sum(n) over (partition by milestone_id) as total from took
    )
    select milestone_id, min(days) filter (where so_far >= 0.25 * total), min(days) filter (where so_far >= 0.5 * total),
           min(days) filter (where so_far >= 0.75 * total) from summed group by 1"""
MONTHS = f"""select date_trunc('month', {KNOWN_SINCE} at time zone %(zone)s)::date, count(*) from success_supplier s
    where {{where}} group by 1 order by 1 desc limit 24"""


def board(whom: Whom, *, at: datetime) -> Board:
    """The whole ladder, for these suppliers."""
    ladder = list(Milestone.objects.ladder().select_related("segment")[:MOST])
    ways = ways_of(whom, ladder, "count(*)", at=at)
    reached, following, stalled = [0] * len(ladder), [0] * (len(ladder) + 1), [0] * (len(ladder) + 1)
    for way, gone, stalls, n in ways:
        for place in range(len(ladder)):
            reached[place] += n * (way >> place & 1)
        place = next_of(ladder, way, gone)
        following[place] += n
        stalled[place] += n * stalls
    levels = [Level(one, reached[place], following[place], stalled[place]) for place, one in enumerate(ladder)]
    return Board(sum(n for *_, n in ways), following[-1], levels)


def days(whom: Whom) -> dict[int, tuple[int, int, int]]:
    """By milestone the days from sign-up in which a quarter of those who got there had done so, half, and three quarters."""
    return {milestone: tuple(took) for milestone, *took in db.rows(DAYS.format(where=whom.where), whom.params)}


def ways_of(whom: Whom, ladder: list[Milestone], what: str, *, at: datetime) -> list[tuple[Any, ...]]:
    """How these suppliers climbed: rungs reached, rungs that are not for them or were taken back, whether they stall, and something of all who did so."""
    barred, params = barring(ladder, at=at)
    return db.rows(WAYS.format(what=what, where=whom.where, barred=barred), whom.params | bits_of(ladder) | params | {"moved": at - STUCK_AFTER})


def bits_of(ladder: list[Milestone]) -> dict[str, Any]:
    """The bit of each rung at the place of its id; 0 where no rung has that id."""
    bits = {one.pk: 1 << place for place, one in enumerate(ladder)}
    first, last = min(bits, default=1), max(bits, default=0)
    return {"bits": [bits.get(pk, 0) for pk in range(first, last + 1)], "first": first, "last": last}


def barring(ladder: list[Milestone], *, at: datetime) -> tuple[str, dict[str, Any]]:
    """As bits, the rungs of segments that a supplier `s` is not in."""
    asked = [(place, one) for place, milestone in enumerate(ladder) if (one := definitions.segment_of(milestone))]
    terms = measures.terms([one for _, one in asked], at=at)
    return " | ".join(["0", *(f"case when {terms.holds[one.counter]} then 0 else {1 << place} end" for place, one in asked)]), terms.params


def next_of(ladder: list[Milestone], way: int, gone: int) -> int:
    """The place of the lowest rung that who has come this way may reach and has not; behind the last where there is none."""
    have = {one.pk for place, one in enumerate(ladder) if way >> place & 1}
    for place, one in enumerate(ladder):
        if not (way | gone) >> place & 1 and (one.after_id is None or one.after_id in have):
            return place
    return len(ladder)


def months(whom: Whom, *, zone: str) -> list[tuple[date, int]]:
    """The months in which these signed up, the latest first, and how many did."""
    return db.rows(MONTHS.format(where=whom.where), whom.params | {"zone": zone})


# ---------------------------------------------------------------- the list behind a bar


REACHED = (
    "select r.supplier_id from milestones_achievement r join milestones_milestone m on m.id = r.milestone_id where m.key = %(key)s and r.revoked_at is null"
)


def waiting_at(key: str, *, stalled: bool, at: datetime) -> list[int]:
    """Suppliers in service whose next this one is; or of these those who stall there."""
    ladder = list(Milestone.objects.ladder().select_related("segment")[:MOST])
    found: list[int] = []
    for way, gone, stalls, suppliers in ways_of(Whom(), ladder, "array_agg(s.id)", at=at):
        place = next_of(ladder, way, gone)
        if place < len(ladder) and ladder[place].key == key and (stalls or not stalled):
            found += suppliers
    return found
