"""TriggerManager: which suppliers a playbook would reach, and its switch. Rules look at states, so whoever came to be at risk in silence is found, too."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from interventions import engine, gates, ledger
from interventions.models import Playbook

CHUNK = 500


class NotChanged(Exception):
    """It is switched that way already."""


def sweep(*, at: datetime) -> Counter[str]:
    """Every playbook that is on begins with all who qualify, a part at a time; what is over is ended."""
    total = Counter[str](ended=engine.end_what_is_over(at=at))
    for playbook in Playbook.objects.on():
        found = gates.qualifying(playbook, at=at)
        for start in range(0, len(found), CHUNK):
            total += engine.consider(playbook.pk, found[start : start + CHUNK], at=at)
    return +total


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom a playbook would reach today, and of those who qualify besides, how many are kept by which gate."""

    suppliers: list[int]
    kept: dict[str, int]

    @property
    def qualified(self) -> int:
        return len(self.suppliers) + sum(self.kept.values())


def reach(playbook: Playbook, *, at: datetime) -> Reach:
    """Nothing is written."""
    reached, kept = list[int](), Counter[str]()
    found = gates.qualifying(playbook, at=at)
    for start in range(0, len(found), CHUNK):
        for supplier, asked in gates.to_begin(playbook, found[start : start + CHUNK], at=at).items():
            failed = ledger.first_failed(asked)
            if failed:
                kept[failed.key] += 1
            else:
                reached.append(supplier)
    return Reach(reached, dict(kept.most_common()))


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
