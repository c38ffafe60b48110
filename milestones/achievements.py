"""MilestoneService: who reached what. Counters are watched by the database (`sql/detect.sql`); the rest is found here, announced, and taken back."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from milestones import celebrations, definitions, rewards
from milestones.events import Achieved, Revoked
from milestones.models import Achievement, Milestone
from milestones.requirements import WHERE, Measure, is_counted, parse
from success import db, events
from success.logs import reason_of

log = structlog.get_logger(__name__)
BATCH = 200

# ---------------------------------------------------------------- achieve

ACHIEVE = """insert into milestones_achievement (supplier_id, milestone_id, achieved_at, known_at, counter, n, silent, announced_at)
    select supplier_id, %(milestone)s, least(since, %(at)s), %(at)s, %(counter)s, %(n)s, silent, case when silent then %(at)s end
    from (select supplier_id, since, coalesce(%(silent)s, since < %(at)s::timestamptz - interval '24 hours', false) as silent from ({met}) m) x
    order by 1 on conflict do nothing"""


def achieve(milestone: Milestone, *, only: Collection[int] | None = None, silent: bool | None = None, at: datetime) -> int:
    """Whoever meets what the milestone takes has it, if she has not and never had; says how many are new.

    Silently or not, as is said; otherwise silently where it is a day or more since it came to be, which is history as everywhere.
    Of a milestone that the database watches, only while no writer is at it (`db.without_writers`).
    """
    requirement = parse(milestone.requirement)
    counter, n = (requirement.counter, requirement.target) if isinstance(requirement, Measure) and requirement.kind != WHERE else ("", 0)
    params = {"milestone": milestone.pk, "silent": silent, "at": at, "counter": counter, "n": n, "only": list(only or ())}
    among = "true" if only is None else "f.supplier_id = any(%(only)s)"
    met, more = definitions.lacking(definitions.takes(milestone), among=among, since=True, at=at)
    return db.execute(ACHIEVE.format(met=met), params | more)


def evaluate(*, at: datetime, only: Collection[int] | None = None, among: Iterable[Milestone] | None = None) -> int:
    """Milestones that no counter alone decides, those of a segment among them, are reached by whoever meets them now; says how many were."""
    found = Milestone.objects.ladder().select_related("segment") if among is None else among
    return sum(achieve(one, only=only, at=at) for one in found if not is_counted(definitions.takes(one)))


TAKE_TOUCHED = """with taken as (delete from milestones_touched where id in (select id from milestones_touched order by id limit %s for update skip locked)
    returning supplier_id, milestone_id) select milestone_id, array_agg(distinct supplier_id) from taken group by 1 order by 1"""


@transaction.atomic
def evaluate_touched(*, at: datetime, limit: int = 5_000) -> int:
    """Where part of what a milestone takes has come true, the whole is looked at; says how many suppliers reached one."""
    touched = dict(db.rows(TAKE_TOUCHED, [limit]))
    found = Milestone.objects.ladder().filter(pk__in=touched)
    return sum(evaluate(at=at, only=touched[one.pk], among=[one]) for one in found)


# ---------------------------------------------------------------- announce


@dataclass
class Announced:
    """How many were announced, and the suppliers where that failed, with the reason."""

    n: int = 0
    failures: dict[int, str] = field(default_factory=dict)


def announce(*, at: datetime, limit: int = BATCH) -> Announced:
    """A batch of what was reached is told: rewards are granted, `milestones.achieved` is published, she is told. All in one transaction, so exactly once.

    Where a batch fails each is tried alone, so that one stands in nobody's way.
    """
    try:
        return Announced(announce_batch(Achievement.objects.all(), limit=limit, at=at))
    except Exception:
        log.exception("announcement_failed")
    done = Announced()
    for one in Achievement.objects.filter(announced_at=None).order_by("known_at", "pk")[:limit]:
        try:
            done.n += announce_batch(Achievement.objects.filter(pk=one.pk), limit=1, at=at)
        except Exception as error:
            done.failures[one.supplier_id] = f"{type(error).__name__}: {reason_of(error)}"
    return done


def announce_at_once(*, at: datetime) -> int:
    """What has just been reached is told, without a second try one by one: whoever calls has pages waiting, and the schedule goes on with what fails."""
    return announce_batch(Achievement.objects.all(), limit=BATCH, at=at)


@transaction.atomic
def announce_batch(among: QuerySet[Achievement], *, limit: int, at: datetime) -> int:
    waiting = among.filter(announced_at=None).select_related("milestone__reward", "supplier").order_by("known_at", "pk")
    locked = list(waiting.select_for_update(skip_locked=True, of=("self",))[:limit])
    told = [one for one in locked if one.supplier.in_service and one.revoked_at is None]
    granted = rewards.grant_all([one for one in told if one.milestone.reward_id], at=at)
    events.publish_all([(one.supplier_id, said(one)) for one in told], at=at)
    celebrations.celebrate(told, granted, at=at)
    Achievement.objects.filter(pk__in=[one.pk for one in locked]).update(announced_at=at)
    return len(locked)


def said(achievement: Achievement) -> Achieved:
    return Achieved(milestone=achievement.milestone.key, title=achievement.milestone.name, counter=achievement.counter, count=achievement.n)


# ---------------------------------------------------------------- seen, taken back


@transaction.atomic
def see(*, supplier: int, milestone: str, at: datetime) -> Achievement | None:
    """She has seen the celebration, and with it all that it was about; the first time counts. None where she has not got there."""
    mine = Achievement.objects.filter(supplier=supplier, revoked_at=None)
    hers = list(mine.select_related("milestone").order_by("pk").select_for_update(of=("self",)))  # before the celebration, as whoever announces or revokes
    if milestone not in (one.milestone.key for one in hers):
        return None
    together = {milestone, *celebrations.end(supplier=supplier, milestone=milestone, at=at)}
    unseen = [one for one in hers if one.milestone.key in together and one.seen_at is None]
    Achievement.objects.filter(pk__in=[one.pk for one in unseen]).update(seen_at=at)
    celebrations.read(unseen, at=at)
    return mine.select_related("milestone__reward").get(milestone__key=milestone)


class NotHers(Exception):
    """She has not got this, or it was taken back already."""


class NoReason(Exception):
    """Say why it is taken back."""


@transaction.atomic
def revoke(*, achievement: int, because: str, by: User, at: datetime) -> Achievement:
    """The achievement no longer counts and never comes back by itself; its row stays, its reward is taken back.

    Raises:
        NoReason, NotHers: nothing was taken back.
    """
    if not because.strip():
        raise NoReason
    found = Achievement.objects.select_for_update(of=("self",)).filter(pk=achievement, revoked_at=None).select_related("milestone").first()
    if found is None:
        raise NotHers
    found.revoked_at, found.revoked_by, found.revoked_because = at, by, because.strip()[:200]
    found.save(update_fields=["revoked_at", "revoked_by", "revoked_because"])
    rewards.claw_back(found, by=by, at=at)
    celebrations.withdraw(found, at=at)
    events.publish(Revoked(milestone=found.milestone.key), supplier=found.supplier_id, at=at)
    return found


# ---------------------------------------------------------------- reconcile


def missing(milestone: Milestone, *, after: int = 0, limit: int | None = None, only: Collection[int] | None = None, at: datetime) -> list[int]:
    """Suppliers who meet what the milestone takes and have not got it. A recount, by the same numbers as are shown."""
    return definitions.meeting(definitions.takes(milestone), milestone=milestone.pk, after=after, limit=limit, only=only, at=at)


@transaction.atomic
def grant_missing(milestone: Milestone, *, only: Collection[int], silent: bool, at: datetime) -> int:
    """Those of these who lack the milestone have it; says how many. No writer is at it meanwhile, so it is short.

    Raises:
        OperationalError: a writer took too long.
    """
    db.without_writers(patience="1s")
    return achieve(milestone, only=only, silent=silent, at=at)
