"""How a message goes out: gates in the claim, written and committed before it leaves, and an outcome that says what is known.

`queued -> claimed -> accepted, refused, unknown, dropped`; what a dead worker had in hand and had not begun is simply sent by another.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import msgspec
from django.db import transaction
from django.db.models import Q

from success import db, due, events
from success.models import Send
from success.models.due import State
from success.notifications import gates, letters, mail
from success.notifications.channels import CHANNELS
from success.notifications.facts import values_of

SEND = "success.send"
BATCH = 50
LOOKED_AT = 1000


@dataclass(frozen=True)
class NotificationSent(events.Fact):
    """What came of a message to a supplier: accepted by the other side, refused, unknown, or dropped; the reason is the gate that was shut."""

    name = "success.notification_sent"

    key: str
    channel: str
    template: str
    outcome: str
    reason: str


TELL = """select d.supplier_id, d.key, d.channel, t.key, d.state, d.gate from success_send d join success_messagetemplate t on t.id = d.template_id
    where d.id = any(%(ids)s) and d.supplier_id is not null order by d.id"""
GIVE_BACK = """delete from success_slot x using success_send d where d.id = any(%(ids)s) and d.state in ('refused', 'dropped') and x.key = d.key
    and not exists (select 1 from success_send o where o.key = d.key and o.state not in ('refused', 'dropped'))"""


def ended(keys: Collection[int], *, at: datetime) -> None:
    """Whoever asked is told, and what never went out takes up nobody's turn. In the transaction that recorded it."""
    told = db.rows(TELL, {"ids": list(keys)})
    if any(facts[4] in (State.REFUSED, State.DROPPED) for facts in told):
        db.execute(GIVE_BACK, {"ids": list(keys)})
    over = {State.ACCEPTED, State.REFUSED, State.UNKNOWN, State.DROPPED}
    events.publish_all([(supplier, NotificationSent(*facts)) for supplier, *facts in told if facts[3] in over], at=at)


# ---------------------------------------------------------------- what may not go now

SETTLE = f"""
with oldest as (
    select id from success_send where state = 'queued' and due_at <= %(at)s order by due_at, id limit %(limit)s
), found as (
    select d.id, d.latest_at, {gates.FAILED} as failed, {gates.UNTIL} as until from success_send d {gates.JOINED}
    where d.id in (select id from oldest) and d.state = 'queued' and ({gates.SHUT}) order by d.id for update of d skip locked
), judged as (
    select *, failed && %(final)s::text[] or until > latest_at as over from found
)
update success_send r set gate = j.failed[1], gates = j.failed, error = %(words)s::jsonb ->> j.failed[1],
    state = case when j.over then 'dropped' else 'queued' end, ended_at = case when j.over then %(at)s::timestamptz end,
    due_at = case when j.over then r.due_at else greatest(j.until, %(at)s::timestamptz + interval '1 minute') end
from judged j where r.id = j.id returning r.id, r.state
"""
MARK = """update success_send set gate = %(gate)s, gates = array[%(gate)s], error = %(words)s where id in (
    select id from success_send where state = 'queued' and due_at <= %(at)s and gate <> %(gate)s order by due_at, id limit %(limit)s for update skip locked)"""


def settle(at: datetime) -> None:
    """Of what is due, each row that may not go says why: dropped where nothing will change that, later where something will."""
    if gates.stopped():
        db.execute(MARK, {"at": at, "gate": gates.STOPPED, "words": gates.WORDS[gates.STOPPED], "limit": LOOKED_AT})
        return
    final = [gate.key for gate in gates.FINAL]
    about = {**gates.params(), "at": at, "limit": LOOKED_AT, "final": final, "words": msgspec.json.encode(gates.WORDS).decode()}
    while True:
        with transaction.atomic():
            found = db.rows(SETTLE, about)
            if over := [key for key, state in found if state == State.DROPPED]:
                ended(over, at=at)
        if len(found) < LOOKED_AT:
            return


def drop_queued(which: Q, *, gate: str, reason: str, at: datetime) -> int:
    """Sends that have not been claimed do not go out. Whoever claims beside this waits for neither: a row is claimed before, or never."""
    with transaction.atomic():
        queued = Send.objects.filter(which, state=State.QUEUED).order_by("pk").select_for_update(of=("self",))
        keys = list(queued.values_list("pk", flat=True))
        Send.objects.filter(pk__in=keys).update(state=State.DROPPED, gate=gate, gates=[gate], error=reason, ended_at=at)
        ended(keys, at=at)
    return len(keys)


# ---------------------------------------------------------------- written before it is sent

TAKE_TURNS = """insert into success_slot (key, supplier_id, template_id, during, overruled)
    select distinct on (d.key) d.key, d.supplier_id, d.template_id, tstzrange(%(at)s, %(at)s::timestamptz + make_interval(days => t.cap_days)), d.overrule <> ''
    from success_send d join success_messagetemplate t on t.id = d.template_id
    where d.id = any(%(ids)s) and d.state = 'queued' and d.supplier_id is not null and t.cap_days > 0
    order by d.key, d.id on conflict do nothing"""
WITHOUT = """update success_send d set state = 'dropped', gate = 'cap', gates = array['cap'], error = %(words)s, ended_at = %(at)s, leased_until = null
    from success_messagetemplate t where d.id = any(%(ids)s) and d.state = 'queued' and t.id = d.template_id and d.supplier_id is not null and t.cap_days > 0
    and not exists (select 1 from success_slot x where x.key = d.key) returning d.id"""
FREEZE = """update success_send d set subject = x.subject, text = x.text, button = x.button, link = x.link,
    message_id = x.message_id, frozen_at = %(at)s, gate = '', gates = '{}'
    from jsonb_to_recordset(%(letters)s::jsonb) as x (id bigint, message_id text, subject text, text text, button text, link text)
    where d.id = x.id and d.state = 'queued'"""
CANNOT = """update success_send d set state = 'refused', gate = 'unwritten', gates = array['unwritten'], error = x.why, leased_until = null
    from jsonb_to_recordset(%(whys)s::jsonb) as x (id bigint, why text) where d.id = x.id and d.state = 'queued'"""


@transaction.atomic
def prepare(keys: Collection[int], *, at: datetime) -> None:
    """The letters of a batch in hand are written and stand still, each with its supplier's turn; one that cannot be written is refused, and says why."""
    in_hand = list(Send.objects.filter(pk__in=keys, state=State.QUEUED).select_related("template"))
    Send.objects.filter(pk__in=[send.pk for send in in_hand if send.gate]).update(gate="", gates=[])
    dropped = kept(in_hand, at=at)
    written, whys = write([send for send in in_hand if send.frozen_at is None and send.pk not in dropped])
    if written:
        db.execute(FREEZE, {"at": at, "letters": msgspec.json.encode(written).decode()})
    if whys:
        db.execute(CANNOT, {"whys": msgspec.json.encode(whys).decode()})
        ended([one["id"] for one in whys], at=at)
    about = {"ids": list(keys), "at": at}
    db.execute(TAKE_TURNS, about)
    if without := db.rows(WITHOUT, {**about, "words": gates.WORDS["cap"]}):
        ended([key for (key,) in without], at=at)


@dataclass(frozen=True, slots=True)
class Shut:
    """What keeps a message back that had been on its way: the gate, and in words."""

    gate: str
    words: str


Again = Callable[..., Mapping[int, Mapping[str, Any] | Shut]]  # (sends, *, at): by send its values of this moment, or what keeps it
_askers: dict[str, Again] = {}


def ask_again(cause: str, still: Again) -> None:
    """Whoever asked for messages of causes `cause:..` is asked once more as they are written. It may only read, and must not raise."""
    _askers[cause] = still


def kept(in_hand: Collection[Send], *, at: datetime) -> list[int]:
    """Messages that whoever asked for them does not want sent any more are dropped; the others have the values of this moment."""
    shut: dict[int, Shut] = {}
    for cause, still in _askers.items():
        asked = {send.pk: send for send in in_hand if send.cause.startswith(f"{cause}:")}
        for key, found in (still(asked.values(), at=at) if asked else {}).items():
            if isinstance(found, Shut):
                shut[key] = found
            else:
                asked[key].context = letters.known(found)
    for key, found in shut.items():
        about = {"gate": found.gate, "gates": [found.gate], "error": found.words, "ended_at": at, "leased_until": None}
        Send.objects.filter(pk=key, state=State.QUEUED).update(state=State.DROPPED, **about)
    if shut:
        ended(list(shut), at=at)
    return list(shut)


def write(sends: Collection[Send]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    facts = values_of({send.supplier_id for send in sends if send.supplier_id})
    written, whys = [], []
    for send in sends:
        try:
            letter = letters.write(send.template, {**facts.get(send.supplier_id or 0, {}), **send.context})
            written.append({"id": send.pk, "message_id": mail.new_id(send.pk), **asdict(letter)})
        except letters.Unwritten as error:
            whys.append({"id": send.pk, "why": str(error)})
    return written, whys


# ---------------------------------------------------------------- sent


def carry_out(row: Any, *, at: datetime) -> due.Outcome:
    """The message is on its way. Every gate was open in the statement that began it."""
    return CHANNELS[row.channel].send(row, at=at)


KIND = due.Kind(
    key=SEND, model=Send, carry_out=carry_out, transactional=False, batch=BATCH, also=gates.OPEN, params=gates.params,
    before=settle, prepare=prepare, ended=ended,
)  # fmt: skip
