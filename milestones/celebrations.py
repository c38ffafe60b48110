"""CelebrationEngine: what is said to a supplier who got somewhere, on her open pages at once and in her inbox, until she has seen it.

While she wants a pause nothing is celebrated, and nothing of it afterwards: confetti for what is long done is a nuisance. It stands unread in her inbox,
and if it is no older than a week when the pause ends it is in the mail about what she has not seen (`digest`).
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import groupby

import msgspec
import structlog

from milestones.models import Achievement, Celebration, Grant
from milestones.wording import Wording, wordings
from success import notifications
from success.models import Notification, Preferences
from success.models.notifications import Category
from success.models.stream import Push
from success.stream import pushes

log = structlog.get_logger(__name__)
REACHED = "milestone_reached"  # the template


def celebrate(reached: Sequence[Achievement], granted: Collection[Grant] = (), *, at: datetime) -> None:
    """Those suppliers find it in their inbox and their open pages celebrate it, in the transaction in which the achievements are announced."""
    shown = [one for one in reached if one.milestone.celebration != Celebration.NONE]
    said = wordings(shown, granted, at=at)
    put_into_inbox(shown, said, at=at)
    push(shown, said, at=at)


def put_into_inbox(shown: Sequence[Achievement], said: Mapping[int, Wording], *, at: datetime) -> None:
    asks = [
        notifications.Ask(
            supplier=one.supplier_id,
            template=REACHED,
            key=f"milestone:{one.pk}",
            cause=cause_of(one),
            channels=("in_app",),
            context={"milestone": one.milestone.name, "words": said[one.pk].words, "opens_next": one.milestone.opens_next, "reward": said[one.pk].reward},
        )
        for one in shown
    ]
    try:
        notifications.notify_all(asks, at=at)
    except notifications.UnknownTemplate:  # somebody took it out: what was reached is announced, and rewarded, all the same
        log.warning("not_in_the_inbox", template=REACHED, achievements=len(asks))


# ---------------------------------------------------------------- on open pages


def push(shown: Sequence[Achievement], said: Mapping[int, Wording], *, at: datetime) -> None:
    """Each supplier's pages celebrate once, whatever she reached at the same time; not where she wants none, or saw it already."""
    unseen = sorted((one for one in shown if one.seen_at is None), key=lambda one: (one.supplier_id, -one.milestone.place, -one.milestone_id))
    chosen = Preferences.objects.in_bulk({one.supplier_id for one in unseen})
    asked = {supplier: list(hers) for supplier, hers in groupby(unseen, key=lambda one: one.supplier_id) if wanted(chosen.get(supplier), at=at)}
    pushes.push_all([celebration(hers, said, at=at) for hers in asked.values()], at=at)


def wanted(chosen: Preferences | None, *, at: datetime) -> bool:
    """She asked for no pause, and not to be left alone with this within the product."""
    if chosen is None:
        return True
    return chosen.wants(channel="in_app", category=Category.MILESTONES) and not (chosen.paused_until and chosen.paused_until > at)


def celebration(hers: Sequence[Achievement], said: Mapping[int, Wording], *, at: datetime) -> pushes.Said:
    """What one supplier reached, the highest first, as one celebration."""
    full = any(one.milestone.celebration == Celebration.FULL for one in hers)
    data = {
        "type": Celebration.FULL.value if full else Celebration.NOTE.value,
        "key": hers[0].milestone.key,
        "keys": [one.milestone.key for one in hers],
        "title": said[hers[0].pk].title,
        "text": text([said[one.pk] for one in hers]),
        "at": msgspec.to_builtins(at),
    }
    return pushes.Said(supplier=hers[0].supplier_id, event=pushes.CELEBRATION, key=f"celebration:{hers[0].pk}", data=data, waits=True)


def text(said: Sequence[Wording]) -> str:
    """A paragraph a line: the highest in its words, what else was reached, what it all brought, and what opens up next."""
    first, *others = said
    also = f"You also reached {listed([f'“{one.title}”' for one in others])}." if others else ""
    return "\n".join(part for part in (first.words, also, *(one.reward for one in said), first.opens_next) if part)


def listed(names: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


# ---------------------------------------------------------------- seen, taken back


def end(*, supplier: int, milestone: str, at: datetime) -> list[str]:
    """The celebration that this milestone is part of waits no longer; all milestones that it was about."""
    waiting = Push.objects.filter(supplier=supplier, event=pushes.CELEBRATION, waits=True, settled_at=None, data__keys__contains=[milestone])
    found = dict(waiting.values_list("key", "data"))
    pushes.settle(list(found), at=at)
    return [key for data in found.values() for key in data["keys"]]


def read(achievements: Collection[Achievement], *, at: datetime) -> None:
    """The notices about what was seen are read."""
    Notification.objects.filter(cause__in=[cause_of(one) for one in achievements], read_at=None).update(read_at=at)


def withdraw(achievement: Achievement, *, at: datetime) -> None:
    """What was not seen or read of it yet is gone; with it a celebration of several, which would not be true any more."""
    end(supplier=achievement.supplier_id, milestone=achievement.milestone.key, at=at)
    notifications.cancel(cause=cause_of(achievement), at=at)


def cause_of(achievement: Achievement) -> str:
    return f"milestone:{achievement.pk}"
