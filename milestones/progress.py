"""ProgressMonitor: how far each supplier is on the ladder, what is next, what is late and what does not move."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from milestones import definitions, measures
from milestones.measures import Standing
from milestones.models import Achievement, Milestone, Threshold
from milestones.requirements import Requirement, met, parse, progress
from milestones.requirements import measures as measures_of

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
        return definitions.in_words(parse(self.milestone.requirement))


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
    """How far each of these suppliers is; no rung of hers is what was revoked, or is of a segment that she is not in."""
    ladder = list(Milestone.objects.ladder().select_related("after", "segment"))
    requirements = {one.pk: parse(one.requirement) for one in ladder}
    asked = [measure for one in ladder for measure in measures_of(definitions.takes(one))]
    terms = measures.terms(asked, ids=dict(Threshold.objects.values_list("counter", "of")), at=at)
    standings = measures.standings(suppliers, asked, terms, at=at)
    reached: dict[int, list[Achievement]] = {supplier: [] for supplier in suppliers}
    for one in Achievement.objects.filter(supplier__in=suppliers).select_related("milestone", "grant__reward").order_by("achieved_at", "pk"):
        reached[one.supplier_id].append(one)
    return {
        supplier: Climb([one for one in reached[supplier] if one.revoked_at is None], rungs(ladder, requirements, reached[supplier], standing, at=at))
        for supplier, standing in standings.items()
    }


def rungs(ladder: Sequence[Milestone], requirements: dict[int, Requirement], reached: Iterable[Achievement], standing: Standing, *, at: datetime) -> list[Rung]:
    have = {one.milestone_id: one for one in reached}
    found: list[Rung] = []
    for one in ladder:
        achievement = have.get(one.pk)
        segment = definitions.segment_of(one)
        if achievement.revoked_at if achievement else segment and not met(segment, standing.values):
            continue
        requirement = requirements[one.pk]
        current, target = progress(requirement, standing.values)
        moved_at = max((when for measure in measures_of(requirement) if (when := standing.moved.get(measure.counter))), default=None)
        due_at = standing.known_since + timedelta(days=one.due_days) if one.due_days else None
        locked = one.after_id is not None and (one.after_id not in have or have[one.after_id].revoked_at is not None)
        first = not any(rung.state not in (DONE, LOCKED) for rung in found)
        state = state_of(done=achievement is not None, locked=locked, first=first, begun=0 < current < target, due_at=due_at, moved_at=moved_at, at=at)
        found.append(Rung(one, achievement, target if achievement else current, target, state, due_at, moved_at))
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
