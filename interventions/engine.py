"""InterventionEngine: begins playbooks, does their steps when they are due, and ends them; each decision stands in the ledger."""

from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import DataError, transaction
from django.db.models import Max

from interventions import gates, ledger, personalization, plans
from interventions.events import InterventionEnded, InterventionStarted
from interventions.ledger import Gate
from interventions.models import CAUSE, Decision, Ended, Intervention, Outcome, Playbook, Step
from success import due, events, facts, notifications, work
from success.models import Facts, Send
from success.models.due import State
from success.notifications import sending
from success.notifications.sending import Shut

STEPS = "interventions.steps"
FIRST_DAY = timedelta(days=1)
MENDED = timedelta(hours=1)  # after which a playbook that could not be followed is looked at again
IN_STEP = ("condition", "service")  # gates that end a run: she is active again, or gone

# ---------------------------------------------------------------- beginning


@facts.held()
@transaction.atomic
def consider(playbook: int, suppliers: Collection[int], *, at: datetime) -> Counter[str]:
    """Of suppliers who qualify each is begun with, or stands in the ledger with what kept her; counts both.

    The playbook's row is locked: whoever else would begin with the same supplier waits, and finds it done.
    """
    known = Playbook.objects.get(pk=playbook)
    if gates.fault(known):
        return Counter()
    wanting = gates.wanting(known, suppliers, at=at)  # most do not qualify, and hold up nobody
    if not wanting:
        return Counter()
    chosen = Playbook.objects.select_for_update(no_key=True).get(pk=playbook)
    if not chosen.is_on or gates.fault(chosen):
        return Counter()
    asked, health = gates.to_begin(chosen, wanting, at=at), ledger.health_of(wanting)
    room, begun, decided = room_of(chosen, at=at), list[int](), list[Decision]()
    for supplier, found in asked.items():
        if all(gate.holds for gate in found) and len(begun) < room:
            begun.append(supplier)
            continue
        full = waiting(chosen) if all(gate.holds for gate in found) else None
        failed = full or ledger.first_failed(found)
        if failed and failed.key not in ("condition", "running"):  # she did not qualify, or is being helped: nothing was decided
            key = ledger.left_out_key(failed.key, at)
            decided.append(ledger.decision(chosen, supplier, [*found, *([full] if full else [])], health=health.get(supplier, {}), key=key, at=at))
    begin(chosen, begun, at=at)
    ledger.write(decided)
    return +Counter(started=len(begun), left_out=len(decided))


def room_of(playbook: Playbook, *, at: datetime) -> float:
    """How many more it may begin with: on its first day only so many, then all."""
    if playbook.switched_on_at is None or at >= playbook.switched_on_at + FIRST_DAY:
        return float("inf")
    return max(0, most_of(playbook) - playbook.interventions.filter(started_at__gte=playbook.switched_on_at, asked_key="").count())


def most_of(playbook: Playbook) -> int:
    """How many it begins with on its first day."""
    return settings.PLAYBOOK_FIRST_DAY if playbook.first_day is None else playbook.first_day


def waiting(playbook: Playbook) -> Gate:
    opens = playbook.switched_on_at + FIRST_DAY if playbook.switched_on_at else None
    return Gate("first_day", False, "On its first day the playbook reaches only so many: she is next.", opens)


def begin(playbook: Playbook, suppliers: Collection[int], *, at: datetime, **values: Any) -> list[Intervention]:
    """The runs exist with their first step due, and are told."""
    before = dict(playbook.interventions.filter(supplier__in=suppliers).values_list("supplier_id").annotate(last=Max("episode")))
    first = plans.read(playbook.steps)[0]
    runs = Intervention.objects.bulk_create(
        Intervention(
            supplier_id=supplier, playbook=playbook, episode=before.get(supplier, 0) + 1, version=playbook.version, steps=playbook.steps, started_at=at, **values,
        )
        for supplier in sorted(suppliers)
    )  # fmt: skip
    Step.objects.bulk_create(Step(supplier_id=run.supplier_id, intervention=run, place=0, due_at=at + timedelta(days=first.after_days)) for run in runs)
    events.publish_all([(run.supplier_id, InterventionStarted(playbook.key, run.episode)) for run in runs], at=at)
    if runs:
        due.hint(STEPS)
    return runs


@transaction.atomic
def ask(playbook: Playbook, supplier: int, *, key: str, at: datetime, by: User | None = None, reason: str = "") -> tuple[Intervention | None, list[Gate]]:
    """One of us, or a key, wants this playbook for a supplier: through the same gates, but that it is on and how many it reaches on its first day.

    With a reason what may be overruled is. Asked again by the same key, nothing is done twice. The run is None where a gate kept her.
    """
    chosen = Playbook.objects.select_for_update(no_key=True).get(pk=playbook.pk)
    stands = gates.to_begin(chosen, [supplier], at=at)[supplier]
    asked = gates.overrule(stands, reason)
    if before := chosen.interventions.filter(supplier=supplier, asked_key=key).first():
        return before, asked
    failed = ledger.first_failed(asked)
    if failed is None or failed.key in ledger.DEFERRING:
        overruled = reason if asked != stands else ""  # where there was nothing to overrule, what comes up later still counts
        return begin(chosen, [supplier], at=at, asked_by=by, asked_key=key, overruled=overruled)[0], asked
    health = ledger.health_of([supplier]).get(supplier, {})
    ledger.write([ledger.decision(chosen, supplier, asked, health=health, key=f"asked:{key}", at=at, by=by)])
    return None, asked


# ---------------------------------------------------------------- steps


@facts.held()
def carry_out(row: Step, *, at: datetime) -> due.Outcome:
    """A step is done, in the transaction that records it, and the next one is due."""
    run = Intervention.objects.select_for_update(of=("self",)).select_related("playbook", "supplier__owner").get(pk=row.intervention_id)
    if run.ended_at:
        return due.Dropped("Its playbook has ended.")
    if (wrong := gates.fault(run.playbook)) and run.supplier.in_service and run.over_at > at:
        return due.Later(at + MENDED, wrong)
    if ended := ended_by_now(run, at=at):
        end(run, ended, at=at)
        return due.Dropped(ended.label)
    todo = plans.read(run.steps)
    moved = DO[todo[row.place].do](run, row.place, todo[row.place], at=at)
    if moved:
        end(run, moved, at=at)
    elif row.place + 1 < len(todo):
        after = timedelta(days=todo[row.place + 1].after_days)
        Step.objects.get_or_create(intervention=run, place=row.place + 1, defaults={"supplier_id": run.supplier_id, "due_at": at + after})
    return due.Accepted()


def ended_by_now(run: Intervention, *, at: datetime) -> Ended | None:
    """What ends a run whatever its next step is."""
    if not run.supplier.in_service:
        return Ended.LEFT
    if not gates.fault(run.playbook) and gates.holding(run.playbook.goal, [run.supplier_id], at=at):
        return Ended.GOAL
    return Ended.OVER if run.over_at <= at else None


def message_key(run: Intervention, place: int) -> str:
    return f"playbook:{run.pk}:{place}"


def send(run: Intervention, place: int, plan: plans.Plan, *, at: datetime) -> Ended | None:
    """The message is on its way with her own numbers in it, or the ledger says why not."""
    asked = gates.overrule(gates.to_go_on(run.playbook, plan, run.supplier_id, at=at), run.overruled)
    failed, key = ledger.first_failed(asked), message_key(run, place)
    if failed is None or failed.key in ledger.DEFERRING:
        letter = personalization.letters([run.supplier_id], template=plan.template, at=at, message=key)[run.supplier_id]
        notifications.notify(
            supplier=run.supplier_id, template=plan.template, context=letter.context, category=plan.category, key=key, at=at, channels=("email",),
            cause=run.cause, overrule=run.overruled,
        )  # fmt: skip
    health = ledger.health_of([run.supplier_id]).get(run.supplier_id, {})
    ledger.write([ledger.decision(run.playbook, run.supplier_id, asked, health=health, key=key, at=at, run=run, message=key, by=run.asked_by)])
    if failed and failed.key in IN_STEP:
        return Ended.MOVED if failed.key == "condition" else Ended.LEFT
    return None


def still(sends: Collection[Send], *, at: datetime) -> dict[int, dict[str, Any] | Shut]:
    """Messages of playbooks as they are written: with her numbers of this moment, or not at all where she is not to be reached any more.

    Between the decision and the sending lie a night, a stop or a pause: she may have come back, or got a new owner.
    """
    runs = {run.cause: run for run in Intervention.objects.filter(pk__in=[send.cause.partition(":")[2] for send in sends]).select_related("playbook")}
    people = personalization.people([send.supplier_id for send in sends if send.supplier_id], at=at)
    needed = {key: personalization.needed_by(key) for key in {send.template.key for send in sends}}
    wanted = {
        playbook: wanting_still(playbook, [run.supplier_id for run in runs.values() if run.playbook == playbook], at=at)
        for playbook in {run.playbook for run in runs.values()}
    }
    return {send.pk: fresh(send, runs.get(send.cause), people, needed[send.template.key], wanted) for send in sends}


def wanting_still(playbook: Playbook, suppliers: list[int], *, at: datetime) -> set[int]:
    """Nobody, where the playbook cannot be followed: others' messages are in the same batch."""
    try:
        with transaction.atomic():
            return set() if gates.fault(playbook) else gates.wanting(playbook, suppliers, at=at)
    except DataError:
        return set()


def fresh(send: Send, run: Intervention | None, people: dict[int, Any], needed: list[str], wanted: dict[Playbook, set[int]]) -> dict[str, Any] | Shut:
    if run is None or run.ended_at or run.supplier_id not in people:
        return Shut("cause", "Its playbook has ended.")
    if run.supplier_id not in wanted[run.playbook] and not run.overruled:
        return Shut("condition", "What the playbook asks of her does not hold any more.")
    letter = personalization.letter(*people[run.supplier_id], needed=needed, message=send.key)
    return Shut("data", f"Not known of her: {', '.join(letter.missing)}.") if letter.missing else letter.context


sending.ask_again(CAUSE, still)


def plan_task(run: Intervention, place: int, plan: plans.Plan, *, at: datetime) -> Ended | None:
    """Her owner has a task, unless she became active meanwhile."""
    last = Facts.objects.filter(pk=run.supplier_id).values_list("last_activity_at", flat=True).get()
    if plan.unless_active and last and last > run.started_at:
        return Ended.MOVED
    owner = run.supplier.owner
    asked = [Gate("owner", bool(owner and owner.is_active), "She has no owner whom the task could be given to.")]
    if owner and asked[0].holds:
        work.plan(supplier=run.supplier_id, title=plan.title, due_on=at.date(), assignee=owner, by=None, at=at)
    outcome = Outcome.SENT if asked[0].holds else Outcome.FAILED
    health = ledger.health_of([run.supplier_id]).get(run.supplier_id, {})
    decided = ledger.decision(run.playbook, run.supplier_id, asked, health=health, key=message_key(run, place), at=at, run=run, outcome=outcome, message="task")
    ledger.write([decided])
    return None


DO = {"message": send, "task": plan_task}

# ---------------------------------------------------------------- ending


def end(run: Intervention, ended: Ended, *, at: datetime) -> bool:
    """The run is over: what it had not sent yet is not sent, and no step of it is due; says whether it was running."""
    if not Intervention.objects.running().filter(pk=run.pk).update(ended_at=at, ended=ended):
        return False
    Step.objects.filter(intervention=run, state=State.QUEUED).update(state=State.DROPPED, ended_at=at, error=f"Its playbook has ended: {ended.label}.")
    notifications.cancel(cause=run.cause, at=at)
    events.publish(InterventionEnded(run.playbook.key, run.episode, ended.value), supplier=run.supplier_id, at=at)
    return True


def stop(run: Intervention, *, at: datetime) -> bool:
    """One of us ends it."""
    with transaction.atomic():
        return end(run, Ended.STOPPED, at=at)


def end_what_is_over(*, at: datetime, only: Collection[int] | None = None) -> int:
    """Runs of suppliers who got there, left, or whose time is over are ended; says how many."""
    ended = 0
    for playbook in Playbook.objects.filter(pk__in=Intervention.objects.running().values("playbook")):
        running = playbook.interventions.running().select_related("playbook", "supplier")
        runs = list(running.filter(supplier__in=only) if only is not None else running)
        there = set() if gates.fault(playbook) else gates.holding(playbook.goal, [run.supplier_id for run in runs], at=at)
        for run in runs:
            why = Ended.LEFT if not run.supplier.in_service else Ended.GOAL if run.supplier_id in there else Ended.OVER if run.over_at <= at else None
            if why:
                with transaction.atomic():
                    ended += end(run, why, at=at)
    return ended
