"""What a changed meaning of an event would do to scores: derived and scored both ways, nothing written and nobody held up."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from health import scoring
from health.assessments import INPUTS
from health.scoring import WS142, Inputs, Scorecard
from success import catalogue, metrics, reconcile
from success.models import EventName
from success.models.activity import Meaning

MOST = 2_000  # suppliers looked at
SAMPLE = 10


@dataclass(frozen=True, slots=True)
class Move:
    """One supplier's score and level as they are and as they would be; none without a score."""

    supplier: int
    before: scoring.Score | None
    after: scoring.Score | None

    @property
    def points(self) -> float:
        return (self.after.score if self.after else 0.0) - (self.before.score if self.before else 0.0)

    @property
    def levels(self) -> tuple[str, str]:
        return (self.before.level if self.before else "none", self.after.level if self.after else "none")


@dataclass(frozen=True, slots=True)
class Preview:
    """How many suppliers ever had the event; of how many of them the scores were looked at, and which would move."""

    ever: int
    looked_at: int
    moved: list[Move]  # the farthest first
    levels: list[tuple[str, str, int]]  # from, to, how many


def of_meaning(event: EventName, *, meaning: str, feature: int | None, at: datetime, most: int = MOST, scorecard: Scorecard = WS142) -> Preview:
    """What the scores of suppliers who ever had the event would be if it meant this, of at most so many."""
    ever, ids = catalogue.who_had(event.name, limit=most)
    as_it_is = reconcile.would_be(ids, event=None, at=at)
    as_meant = reconcile.would_be(ids, event=event.pk, meaning=meaning, feature=feature, clients=meaning == Meaning.CLIENT_ACTIVE, at=at)
    known = metrics.any_activity()
    every = [
        Move(pk, *(scored(facts[pk], at=at, any_activity=known, scorecard=scorecard) for facts in (as_it_is, as_meant))) for pk in as_it_is if pk in as_meant
    ]
    moved = sorted((move for move in every if move.before != move.after), key=lambda move: (-abs(move.points), move.supplier))
    levels = Counter(move.levels for move in moved if move.levels[0] != move.levels[1])
    return Preview(ever, len(every), moved, [(*pair, n) for pair, n in levels.most_common()])


def scored(facts: Mapping[str, Any], *, at: datetime, any_activity: bool, scorecard: Scorecard) -> scoring.Score | None:
    status = scoring.status(
        in_service=facts["in_service"],
        known_since=facts["known_since"],
        acted=facts["first_activity_at"] is not None,
        has_clients=facts["clients_total"] > 0,
        any_activity=any_activity,
        at=at,
    )
    return scoring.score(scorecard, Inputs(**{name: facts[name] for name in INPUTS}), at) if status == "ok" else None
