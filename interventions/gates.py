"""What has to hold before a supplier is reached: asked when a playbook would begin, again at each of its messages, and by whoever sends, as it sends."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from interventions import personalization
from interventions.ledger import Gate
from interventions.models import Playbook
from interventions.plans import Invalid, Plan, read
from success import conditions, db, facts, segments
from success.models import MessageTemplate
from success.notifications import gates as sending
from success.notifications import letters

# No reason overrules these.
ALWAYS = {
    "broken", "unwritten", "running", "data", "stopped", "settings", "service", "no_address", "channel_off", "category_off", "suppressed",
}  # fmt: skip
OF_SENDING = [gate.key for gate in sending.GATES if gate.key != "late"]
STANDING = """select s.id,
        exists (select 1 from interventions_intervention r where r.supplier_id = s.id and r.playbook_id = %(playbook)s and r.ended_at is null),
        (select max(r.ended_at) from interventions_intervention r where r.supplier_id = s.id and r.playbook_id = %(playbook)s)
    from success_supplier s where s.id = any(%(ids)s)"""


def fault(playbook: Playbook) -> str:
    """Why a playbook cannot be followed: what it asks for is no longer known, or its steps cannot be read; "" if nothing is wrong."""
    try:
        facts.condition(playbook.condition), facts.condition(playbook.goal), read(playbook.steps)
    except (conditions.Invalid, Invalid) as error:
        return f"The playbook has to be mended: {error}"
    return ""


def to_begin(playbook: Playbook, suppliers: Collection[int], *, at: datetime, qualified: set[int] | None = None) -> dict[int, list[Gate]]:
    """All gates of a playbook's first message, by supplier. Who just came out as qualified is not asked that again."""
    if wrong := fault(playbook):
        return {key: [Gate("broken", False, wrong)] for key in suppliers}
    found: dict[int, list[Gate]] = {}
    first = next((plan for plan in read(playbook.steps) if plan.do == "message"), None)
    to_send = of_message(first, suppliers, at=at) if first else {}
    qualified = wanting(playbook, suppliers, at=at) if qualified is None else qualified
    for key, running, ended_at in db.rows(STANDING, {"playbook": playbook.pk, "ids": list(suppliers)}):
        again_at = ended_at + timedelta(days=playbook.again_after) if ended_at else None
        found[key] = [
            Gate("condition", key in qualified, "What the playbook asks of her does not hold now."),
            Gate("running", not running, "This playbook is at work for her already."),
            Gate("again", again_at is None or again_at <= at, f"It ended less than {playbook.again_after} days ago.", again_at),
            *to_send.get(key, []),
        ]
    return {key: [tidy(gate) for gate in asked] for key, asked in found.items()}


def to_go_on(playbook: Playbook, plan: Plan, supplier: int, *, at: datetime) -> list[Gate]:
    """The gates of a later message, of a run that has begun."""
    asked = [
        Gate("condition", bool(wanting(playbook, [supplier], at=at)), "What the playbook asks of her does not hold any more."),
        *of_message(plan, [supplier], at=at)[supplier],
    ]
    return [tidy(gate) for gate in asked]


def tidy(gate: Gate) -> Gate:
    """A gate that holds needs no reason."""
    return Gate(gate.key, True) if gate.holds else gate


def of_message(plan: Plan, suppliers: Collection[int], *, at: datetime) -> dict[int, list[Gate]]:
    """Whether her numbers are known, and what the sender would ask."""
    needed, wrong = personalization.needed_by(plan.template), unwritten(plan.template)
    missing = {key: personalization.letter(*row, needed=needed, message=None).missing for key, row in personalization.people(suppliers, at=at).items()}
    asked = sending.asked(suppliers, template=plan.template, category=plan.category, at=at)
    return {
        key: [
            *(Gate(one, one not in asked[key].failed, sending.WORDS[one], asked[key].until) for one in (sending.STOPPED, *OF_SENDING)),
            Gate("data", not missing[key], f"Not known of her: {', '.join(missing[key])}."),
            Gate("unwritten", not wrong, wrong),
        ]
        for key in missing
    }


def unwritten(key: str) -> str:
    """Why no letter can be written by a template, whoever it is for; "" if one can."""
    template = MessageTemplate.objects.filter(key=key).first()
    if template is None:
        return f"There is no template “{key}”."
    wrong = next(filter(None, map(letters.faults, (template.subject, template.text, template.button, template.link))), "")
    return f"The template “{key}” cannot be read: {wrong}" if wrong else ""


def wanting(playbook: Playbook, suppliers: Collection[int], *, at: datetime) -> set[int]:
    """Of these suppliers those of whom the condition holds, and who have not reached the goal."""
    return holding(playbook.condition, suppliers, at=at) - holding(playbook.goal, suppliers, at=at)


def holding(condition: Any, suppliers: Collection[int], *, at: datetime) -> set[int]:
    """Of these suppliers those of whom a condition holds."""
    sql, params = segments.matching(facts.condition(condition), at=at)
    return {key for (key,) in db.rows(f"select id from ({sql}) x (id) where id = any(%(among)s)", {**params, "among": list(suppliers)})}


IDLE = """select x.id from ({sql}) x (id) join success_supplier s on s.id = x.id
    where success_in_service(s.status, s.internal) and x.id not in ({goal})
        and not exists (select 1 from interventions_intervention r where r.supplier_id = x.id and r.playbook_id = %(playbook)s and r.ended_at is null)
    order by x.id"""


def qualifying(playbook: Playbook, *, at: datetime, owner: int | None = None) -> list[int]:
    """All in service of whom the playbook's condition holds, who have not reached its goal, and for whom it is not at work; of one owner, if said."""
    if fault(playbook):
        return []
    sql, params = segments.matching(facts.condition(playbook.condition), at=at, owner=owner)
    goal, more = segments.matching(facts.condition(playbook.goal), at=at, prefix="g")
    return [key for (key,) in db.rows(IDLE.format(sql=sql, goal=goal), {**params, **more, "playbook": playbook.pk})]


def overrule(asked: list[Gate], reason: str) -> list[Gate]:
    """With a reason, what may be overruled holds, and says why."""
    return [Gate(gate.key, True, f"overruled: {reason}") if reason and not gate.holds and gate.key not in ALWAYS else gate for gate in asked]
