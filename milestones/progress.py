"""ProgressMonitor: how far each supplier is on the ladder, what is next, what is late and what does not move."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from milestones import measures
from milestones.models import Achievement, Milestone
from milestones.requirements import Measure, Requirement, parse, progress, sentence
from milestones.requirements import measures as measures_of
from success import db

STATES = DONE, NEXT, LOCKED, BEHIND, STUCK, OPEN = "done", "next", "locked", "behind", "stuck", "open"
STUCK_AFTER = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Rung:
    """One milestone as it stands with one supplier."""

    milestone: Milestone
    achievement: Achievement | None
    current: int
    target: int
    state: str
    due_at: datetime | None
    moved_at: datetime | None

    @property
    def takes(self) -> str:
        return sentence(parse(self.milestone.requirement))


@dataclass(frozen=True, slots=True)
class Climb:
    """A supplier on the ladder: all that she reached, and each rung that can be reached."""

    achieved: list[Achievement]
    rungs: list[Rung]

    @property
    def next(self) -> Rung | None:
        """The lowest that she may reach and has not."""
        return next((rung for rung in self.rungs if rung.state not in (DONE, LOCKED)), None)

    def of(self, state: str) -> list[Rung]:
        return [rung for rung in self.rungs if rung.state == state]


def climb(supplier: int, *, at: datetime) -> Climb:
    """How far one supplier is."""
    return climbs([supplier], at=at)[supplier]


def climbs(suppliers: Collection[int], *, at: datetime) -> dict[int, Climb]:
    """How far each of these suppliers is; a revoked milestone is no rung of hers any more."""
    ladder = list(Milestone.objects.ladder())
    requirements = {one.pk: parse(one.requirement) for one in ladder}
    asked = {measure.counter: measure for one in requirements.values() for measure in measures_of(one)}
    values, moved = measures.values_of(suppliers, list(asked.values()), at=at), movements(suppliers, list(asked.values()), at=at)
    known = dict(db.rows("select supplier_id, known_since from success_facts where supplier_id = any(%s)", [list(suppliers)]))
    reached: dict[int, list[Achievement]] = {supplier: [] for supplier in suppliers}
    for one in Achievement.objects.filter(supplier__in=suppliers).select_related("milestone", "grant__reward").order_by("achieved_at", "pk"):
        reached[one.supplier_id].append(one)
    return {
        supplier: Climb(
            [one for one in reached[supplier] if one.revoked_at is None],
            rungs(ladder, requirements, reached[supplier], values.get(supplier, {}), moved.get(supplier, {}), known.get(supplier), at=at),
        )
        for supplier in suppliers
    }


def rungs(
    ladder: Sequence[Milestone],
    requirements: dict[int, Requirement],
    reached: Iterable[Achievement],
    values: dict[str, int],
    moved: dict[str, datetime | None],
    known_since: datetime | None,
    *,
    at: datetime,
) -> list[Rung]:
    have = {one.milestone_id: one for one in reached}
    found: list[Rung] = []
    for one in ladder:
        achievement = have.get(one.pk)
        if achievement and achievement.revoked_at:
            continue
        current, target = progress(requirements[one.pk], values)
        last = max((when for measure in measures_of(requirements[one.pk]) if (when := moved.get(measure.counter))), default=None)
        due_at = known_since + timedelta(days=one.due_days) if known_since and one.due_days else None
        locked = one.after_id is not None and (one.after_id not in have or have[one.after_id].revoked_at is not None)
        first = not any(rung.state not in (DONE, LOCKED) for rung in found)
        state = state_of(done=achievement is not None, locked=locked, first=first, begun=0 < current < target, due_at=due_at, moved_at=last, at=at)
        found.append(Rung(one, achievement, target if achievement else current, target, state, due_at, last))
    return found


def state_of(*, done: bool, locked: bool, first: bool, begun: bool, due_at: datetime | None, moved_at: datetime | None, at: datetime) -> str:
    """In this order: done, locked, behind (past its day), stuck (begun, and no movement in 14 days), next (the lowest that is open), open."""
    if done:
        return DONE
    if locked:
        return LOCKED
    if due_at and due_at < at:
        return BEHIND
    if begun and moved_at and moved_at <= at - STUCK_AFTER:
        return STUCK
    return NEXT if first else OPEN


# ---------------------------------------------------------------- when a number last moved

MOVED = {
    "clients": "(select max(c.first_known_at) from success_client c where c.supplier_id = f.supplier_id and c.archived_at is null)",
    "features": """(select max(x.first_at) from (select min(u.first_at) as first_at from success_eventuse u join success_eventname e on e.id = u.event_id
        where u.supplier_id = f.supplier_id and e.feature is not null group by e.feature) x)""",
    "streak": "f.last_activity_at",
}
USED = "(select u.last_at from success_eventuse u where u.supplier_id = f.supplier_id and u.event_id = {of})"


def movements(suppliers: Collection[int], asked: Collection[Measure], *, at: datetime) -> dict[int, dict[str, datetime | None]]:
    """When each number of each supplier last moved, where that is known."""
    ids = measures.known_ids(asked)
    sql = {one.counter: MOVED[one.kind] for one in asked if one.kind in MOVED}
    sql |= {one.counter: USED.format(of=int(ids[one.counter])) for one in asked if one.kind == "event" and one.counter in ids}
    if not sql:
        return {}
    found = db.rows(f"select f.supplier_id, {', '.join(sql.values())} from success_facts f where f.supplier_id = any(%s)", [list(suppliers)])
    return {supplier: dict(zip(sql, times, strict=True)) for supplier, *times in found}
