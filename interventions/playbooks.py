"""TriggerManager: which suppliers a playbook would reach, and its switch. Rules look at states, so whoever came to be at risk in silence is found, too."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import transaction

from interventions import engine, gates, ledger
from interventions.models import Playbook

log = structlog.get_logger(__name__)
CHUNK = 500
NIGHT = "quiet"  # the gate that opens by itself within the day
LOOKED_AT = 2_000  # suppliers: as many a page can ask all gates of at once


class NotChanged(Exception):
    """It is switched that way already."""


def sweep(*, at: datetime) -> Counter[str]:
    """Every playbook that is on begins with all who qualify, a part at a time; what is over is ended."""
    total = Counter[str](ended=engine.end_what_is_over(at=at))
    for playbook in Playbook.objects.on():
        try:
            found = gates.qualifying(playbook, at=at)
            for start in range(0, len(found), CHUNK):
                total += engine.consider(playbook.pk, found[start : start + CHUNK], at=at)
        except Exception:  # one playbook that fails keeps no other from its work
            log.exception("playbook_failed", playbook=playbook.key)
            total["failed"] += 1
    return +total


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom a playbook would reach today, and of those who qualify besides, how many are kept by which gate; `beyond`, who were not looked at."""

    suppliers: list[int]
    kept: dict[str, int]
    beyond: int = 0

    @property
    def qualified(self) -> int:
        return len(self.suppliers) + sum(self.kept.values()) + self.beyond


def reach(playbook: Playbook, *, at: datetime, owner: int | None = None) -> Reach:
    """Of all, or of one owner's book; who sleeps just now is reached in the morning. Nothing is written."""
    reached, kept = list[int](), Counter[str]()
    found = gates.qualifying(playbook, at=at, owner=owner)
    looked_at = found[:LOOKED_AT]
    for supplier, asked in (gates.to_begin(playbook, looked_at, at=at, qualified=set(looked_at)) if looked_at else {}).items():
        failed = ledger.first_failed(asked)
        if failed is None or failed.key == NIGHT:
            reached.append(supplier)
        else:
            kept[failed.key] += 1
    return Reach(reached, dict(kept.most_common()), len(found) - len(looked_at))


@transaction.atomic
def switch(playbook: Playbook, *, on: bool, at: datetime) -> None:
    """On, it begins with who qualifies within a minute; off, it begins with nobody, and what has begun goes on. Raises NotChanged."""
    before = {"switched_on_at": None} if on else {"switched_on_at__isnull": False}
    if not Playbook.objects.filter(pk=playbook.pk, **before).update(switched_on_at=at if on else None, changed_at=at):
        raise NotChanged


def save(playbook: Playbook, *, at: datetime) -> None:
    """A changed playbook is a new version: runs keep the steps they began with."""
    playbook.version += playbook.pk is not None
    playbook.changed_at = at
    playbook.save()
