"""RewardManager: rewards granted once for an achievement and within their budget, redeemed once, expired, taken back. The grants are the ledger."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, Q, Sum

from milestones.events import RewardClawedBack, RewardGranted
from milestones.models import SPENDING, Achievement, Grant, GrantState, Reward, RewardKind
from success import events, work
from success.models import Task
from success.work import AlreadyEnded

# Nothing is left to redeem of these: another system does it and says so, or one of us does.
BY_OTHERS = (RewardKind.TRIAL_EXTENSION, RewardKind.HUMAN_GIFT)
UNCONFIRMED = timedelta(days=2)


class NotHers(Exception):
    """There is no such reward of hers."""


class NotRedeemable(Exception):
    """This reward is not there to be redeemed: it is on its way, has expired, or was taken back."""


class NotPending(Exception):
    """Nobody waits for word about this reward."""


# ---------------------------------------------------------------- grant


def grant_all(achievements: Sequence[Achievement], *, at: datetime) -> list[Grant]:
    """Each achievement has its reward, once; the rewards are locked in the order of their keys, so budgets hold however many grant at once."""
    wanted = sorted({one.milestone.reward_id for one in achievements if one.milestone.reward_id})
    locked = {reward.pk: reward for reward in Reward.objects.select_for_update(no_key=True).filter(pk__in=wanted, active=True).order_by("pk")}
    have = set(Grant.objects.filter(achievement__in=achievements).values_list("achievement_id", flat=True))
    spent = spending(list(locked))
    made = []
    for one in achievements:
        if one.pk not in have and (reward := locked.get(one.milestone.reward_id or 0)):
            made.append(grant(reward, one, spent, at=at))
    return made


def spending(rewards: Sequence[int]) -> dict[int, tuple[int, float]]:
    """Of each reward how often it was granted and the sum of values, without what ended."""
    counted = Grant.objects.spending().filter(reward__in=rewards).values_list("reward").annotate(n=Count("pk"), total=Sum("value")).order_by()
    return dict.fromkeys(rewards, (0, 0.0)) | {reward: (n, total) for reward, n, total in counted}


def grant(reward: Reward, achievement: Achievement, spent: dict[int, tuple[int, float]], *, at: datetime) -> Grant:
    """A row of the ledger; also where the budget is spent, which it says."""
    n, total = spent[reward.pk]
    within = (reward.most is None or n < reward.most) and (reward.budget is None or total + reward.value <= reward.budget)
    state = (GrantState.PENDING if reward.kind in BY_OTHERS else GrantState.GRANTED) if within else GrantState.OVER_BUDGET
    ends = at + timedelta(days=reward.expires_days) if reward.expires_days and state == GrantState.GRANTED else None
    made = Grant.objects.create(
        reward=reward, supplier_id=achievement.supplier_id, achievement=achievement, value=reward.value, state=state, at=at, expires_at=ends,
        ended_at=None if within else at,
    )  # fmt: skip
    if within:
        spent[reward.pk] = (n + 1, total + reward.value)
        tell(made, achievement, at=at)
    return made


def tell(grant: Grant, achievement: Achievement, *, at: datetime) -> None:
    """Others hear of it; of a gift one of us does."""
    reward = grant.reward
    if reward.kind == RewardKind.HUMAN_GIFT:
        grant.task = ask_a_person(grant, f"{reward.name}: she reached “{achievement.milestone.name}”", days=reward.due_days, at=at)
        grant.save(update_fields=["task"])
    fact = RewardGranted(str(grant.public_id), reward.key, reward.kind, grant.value, reward.unit, milestone=achievement.milestone.key)
    events.publish(fact, supplier=grant.supplier_id, at=at)


def ask_a_person(grant: Grant, title: str, *, days: int, at: datetime) -> Task | None:
    """A task for whoever owns the supplier; nobody's, and the ledger alone says that it waits."""
    owner, due_on = grant.supplier.owner, (at + timedelta(days=days)).date()
    return work.plan(supplier=grant.supplier_id, title=title[:200], due_on=due_on, assignee=owner, by=None, at=at) if owner else None


# ---------------------------------------------------------------- what becomes of it


def of_supplier(supplier: int) -> list[Grant]:
    """What she was given and may know of, the latest first."""
    hers = Grant.objects.filter(supplier=supplier).exclude(state=GrantState.OVER_BUDGET)
    return list(hers.select_related("reward", "task", "achievement__milestone").order_by("-at", "-pk"))


@transaction.atomic
def redeem(*, supplier: int, grant: UUID, at: datetime) -> Grant:
    """The reward is redeemed. Once: asked again, it says the same and nothing more happens.

    Raises:
        NotHers, NotRedeemable: nothing was redeemed.
    """
    found = mine(supplier, grant)
    if found.state == GrantState.REDEEMED:
        return found
    if found.state != GrantState.GRANTED or (found.expires_at and found.expires_at <= at):
        raise NotRedeemable
    return settle(found, GrantState.REDEEMED, redeemed_at=at)


@transaction.atomic
def confirm(*, supplier: int, grant: UUID, done: bool, by: User | None = None, at: datetime) -> Grant:
    """The other system, or one of us, says what became of a reward that was on its way: done, or refused.

    Raises:
        NotHers, NotPending: nothing changed.
    """
    found = mine(supplier, grant)
    wanted = GrantState.REDEEMED if done else GrantState.REFUSED
    if found.state == wanted and found.confirmed_at:
        return found
    if found.state != GrantState.PENDING:
        raise NotPending
    end_task(found, done=done, at=at)
    return settle(found, wanted, confirmed_at=at, by=by, **({"redeemed_at": at} if done else {"ended_at": at}))


def mine(supplier: int, grant: UUID) -> Grant:
    found = Grant.objects.select_for_update(of=("self",)).filter(supplier=supplier, public_id=grant).exclude(state=GrantState.OVER_BUDGET)
    row = found.select_related("reward", "achievement__milestone").first()
    if row is None:
        raise NotHers
    return row


def settle(grant: Grant, state: str, **values: Any) -> Grant:
    for name, value in {"state": state, **values}.items():
        setattr(grant, name, value)
    grant.save(update_fields=["state", *values])
    return grant


def end_task(grant: Grant, *, done: bool, at: datetime) -> None:
    """The task about it waits no longer."""
    task = grant.task
    if task is None or task.ended_at:
        return
    with suppress(AlreadyEnded):
        if done:
            work.finish(task=task, by=task.assignee, at=at)
        else:
            work.drop(task=task, because="the reward was refused or taken back", by=task.assignee, at=at)


@transaction.atomic
def claw_back(achievement: Achievement, *, by: User, at: datetime) -> Grant | None:
    """The reward of an achievement that was taken back is taken back, redeemed or not; others hear of it."""
    found = Grant.objects.select_for_update(of=("self",)).filter(achievement=achievement, state__in=SPENDING).select_related("reward").first()
    if found is None:
        return None
    end_task(found, done=False, at=at)
    was_redeemed = found.redeemed_at is not None
    settle(found, GrantState.CLAWED_BACK, ended_at=at, by=by)
    reward = found.reward
    fact = RewardClawedBack(str(found.public_id), reward.key, reward.kind, found.value, reward.unit, was_redeemed)
    events.publish(fact, supplier=found.supplier_id, at=at)
    return found


def expire(*, at: datetime) -> int:
    """What was not redeemed in time is hers no longer."""
    return Grant.objects.filter(state=GrantState.GRANTED, expires_at__lte=at).update(state=GrantState.EXPIRED, ended_at=at)


@transaction.atomic
def ask_about_waiting(*, at: datetime) -> int:
    """Her owner has a task about what no other system confirmed in two days, and about a gift whose supplier had no owner before; says how many."""
    nobody_asked = Grant.objects.filter(state=GrantState.PENDING, task=None, supplier__owner__isnull=False)
    due = nobody_asked.filter(Q(reward__kind=RewardKind.HUMAN_GIFT) | Q(at__lte=at - UNCONFIRMED))
    found = list(due.select_related("reward", "supplier__owner").select_for_update(of=("self",), skip_locked=True).order_by("pk"))
    for one in found:
        title = one.reward.name if one.reward.kind == RewardKind.HUMAN_GIFT else f"{one.reward.name}: nobody confirmed it. Do it, or drop this"
        one.task = ask_a_person(one, title, days=one.reward.due_days, at=at)
        one.save(update_fields=["task"])
    return len(found)


FOLLOW_TASKS = {True: GrantState.REDEEMED, False: GrantState.REFUSED}


@transaction.atomic
def follow_tasks(*, at: datetime) -> int:
    """A gift whose task was done has been given; one whose task was dropped has not. Says how many."""
    waiting = Grant.objects.filter(state=GrantState.PENDING, task__ended_at__isnull=False).select_for_update(of=("self",), skip_locked=True)
    found = list(waiting.select_related("task"))
    for one in found:
        assert one.task  # noqa: S101 - asked for
        done = not one.task.dropped_because
        ended = {"redeemed_at": one.task.ended_at} if done else {"ended_at": one.task.ended_at}
        settle(one, FOLLOW_TASKS[done], confirmed_at=at, by_id=one.task.ended_by_id, **ended)
    return len(found)
