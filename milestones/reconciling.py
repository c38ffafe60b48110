"""Finds who lacks a milestone that she has reached, by a recount, and grants it: silently or with celebration."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from django.db import OperationalError

from milestones import achievements
from milestones.models import Milestone

SILENTLY, CELEBRATE = "silently", "celebrate"
CHUNK = 2_000
TRIES = 5
Found = Callable[[Milestone, Sequence[int]], object]


def reconcile(
    *,
    at: datetime,
    grant: str | None,
    only: Collection[int] | None = None,
    among: Sequence[Milestone] | None = None,
    found: Found = lambda milestone, suppliers: None,
    progress: Callable[[int], object] = lambda n: None,
) -> int:
    """Says how many are missing, or were granted. A chunk is one transaction: cut off, the same call goes on with the rest."""
    total = 0
    for milestone in Milestone.objects.ladder().select_related("segment") if among is None else among:
        after: int | None = 0
        while after is not None:
            ids = achievements.missing(milestone, after=after, limit=CHUNK, only=only, at=at)
            found(milestone, ids)
            total += granted(milestone, ids, silent=grant == SILENTLY, at=at) if grant else len(ids)
            after = ids[-1] if len(ids) == CHUNK else None
        progress(1)
    return total


def granted(milestone: Milestone, ids: Collection[int], *, silent: bool, at: datetime, tries: int = TRIES) -> int:
    """Those of these who still lack it have it. A writer that takes too long is waited for, several times."""
    if not ids:
        return 0
    try:
        return achievements.grant_missing(milestone, only=ids, silent=silent, at=at)
    except OperationalError:
        if tries == 1:
            raise
        return granted(milestone, ids, silent=silent, at=at, tries=tries - 1)
