"""What stands between a message and its being sent. One statement of each gate, for settling, claiming, sending, and for whoever asks beforehand."""

import hashlib
import hmac
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings

from success import db
from success.models import SendingStop

STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Gate:
    """`shut` is SQL over a send `d` and what `JOINED` adds; `until` when it opens by itself, where it does."""

    key: str
    words: str
    shut: str
    until: str = ""


ADDRESS = "case when d.user_id is null then c.email else u.email end"
FINAL = (
    Gate("service", "She is not in service: cancelled, paused or internal.", "s.internal or s.status in ('cancelled', 'paused')"),
    Gate(
        "no_address",
        "There is no address to write to.",
        f"d.channel = 'email' and coalesce({ADDRESS}, '') = '' or d.user_id is not null and not u.is_active",
    ),
    Gate("channel_off", "She wants nothing by this channel.", "not (p.channels ->> d.channel)::boolean"),
    Gate("category_off", "She wants nothing of this kind.", "not (p.categories ->> d.category)::boolean"),
    Gate(
        "suppressed",
        "Her address refused our mail for good.",
        "d.channel = 'email' and exists (select 1 from success_suppression x "
        f"where x.digest = sha256(convert_to(%(pepper)s || lower(trim({ADDRESS})), 'UTF8')))",
    ),
    Gate(
        "cap",
        "She had one of these within the days set for it.",
        "d.overrule = '' and t.cap_days > 0 and exists (select 1 from success_slot x where x.supplier_id = d.supplier_id "
        "and x.template_id = d.template_id and x.key <> d.key and x.during @> %(at)s::timestamptz)",
    ),
    Gate("late", "It is too late for it.", "d.latest_at < %(at)s"),
)
OPENING = (
    Gate("paused", "She asked for a pause.", "d.overrule = '' and p.paused_until > %(at)s", "p.paused_until"),
    Gate("quiet", "It is night where she is.", "d.overrule = '' and s.id is not null and q.quiet", "q.until"),
    Gate(
        "settings",
        "The sender's name, the address for replies or the postal address is not set.",
        "d.channel = 'email' and s.id is not null and not %(ready)s",
        "%(at)s::timestamptz + interval '1 minute'",
    ),
)
GATES = (*FINAL, *OPENING)
WORDS = {gate.key: gate.words for gate in GATES} | {STOPPED: "All sending is stopped."}

JOINED = """
    left join success_supplier s on s.id = d.supplier_id
    left join success_messagetemplate t on t.id = d.template_id
    left join auth_user u on u.id = d.user_id
    left join success_preferences p on p.supplier_id = d.supplier_id
    left join lateral (select email, timezone from success_contact where supplier_id = d.supplier_id and erased_at is null
                       order by is_primary desc, id limit 1) c on true
    left join lateral (select success_zone(c.timezone, %(zone)s) as zone) z on true
    left join lateral (select %(at)s::timestamptz at time zone z.zone as local, coalesce(p.quiet_hours ->> 'start', %(quiet_from)s)::time as starts,
                              coalesce(p.quiet_hours ->> 'end', %(quiet_to)s)::time as ends) n on true
    left join lateral (select case when n.starts < n.ends then n.local::time >= n.starts and n.local::time < n.ends
                                   when n.starts > n.ends then n.local::time >= n.starts or n.local::time < n.ends else false end as quiet,
                              (n.local::date + (n.local::time >= n.ends)::int + n.ends) at time zone z.zone as until) q on true"""
SHUT = " or ".join(f"coalesce({gate.shut}, false)" for gate in GATES)
FAILED = f"array_remove(array[{', '.join(f'case when {gate.shut} then {gate.key!r} end' for gate in GATES)}]::text[], null)"
UNTIL = f"greatest({', '.join(f'case when {gate.shut} then {gate.until} end' for gate in OPENING)})"
OPEN = f"not exists (select 1 from success_sendingstop where ended_at is null) and exists (select 1 from (select 1) one {JOINED} where not ({SHUT}))"


def pepper() -> str:
    """What is put before an address before it is hashed: without it nobody can try addresses."""
    return hmac.digest(settings.SENSITIVE_KEY.encode(), b"suppressed addresses", hashlib.sha256).hex()


def digest_of(address: str) -> bytes:
    """The keyed hash of an address, as the gate computes it."""
    return hashlib.sha256((pepper() + address.strip().lower()).encode()).digest()


def params() -> dict[str, Any]:
    """What the gates have to know beyond the rows."""
    start, end = settings.QUIET_HOURS.split("-")
    return {"pepper": pepper(), "zone": settings.SUPPLIER_TIME_ZONE, "quiet_from": start, "quiet_to": end, "ready": not missing_settings()}


def missing_settings() -> list[str]:
    """The settings without which no supplier is written to."""
    return [name for name in ("SENDER_NAME", "REPLY_TO", "POSTAL_ADDRESS") if not getattr(settings, name)]


def stopped() -> bool:
    return SendingStop.objects.filter(ended_at=None).exists()


# ---------------------------------------------------------------- asked


@dataclass(frozen=True, slots=True)
class Standing:
    """Which gates are shut, and from when on they are open if nothing else changes; None where none opens by itself."""

    failed: list[str]
    until: datetime | None

    @property
    def final(self) -> bool:
        return any(gate.key in self.failed for gate in FINAL)

    @property
    def words(self) -> str:
        return " ".join(WORDS[key] for key in self.failed)


def standings(source: str, values: dict[str, Any], *, at: datetime) -> dict[int | None, Standing]:
    """By supplier."""
    halted, found = (
        [STOPPED] if stopped() else [],
        db.rows(f"select d.supplier_id, {FAILED}, {UNTIL} from ({source}) d {JOINED}", {**params(), **values, "at": at}),
    )
    return {key: Standing([*halted, *failed], None if any(gate.key in failed for gate in FINAL) else until) for key, failed, until in found}


def of_send(pk: int, *, at: datetime) -> Standing:
    """How the gates stand for a send now."""
    return next(iter(standings("select * from success_send where id = %(id)s", {"id": pk}, at=at).values()), Standing([], None))


def asked(suppliers: Collection[int], *, template: str, category: str, at: datetime, channel: str = "email", overrule: str = "") -> dict[int, Standing]:
    """How the gates would stand for a message to each of these sent now, in one statement."""
    values = {"suppliers": list(suppliers), "template": template, "category": category, "channel": channel, "overrule": overrule}
    source = """select supplier_id, null::integer as user_id, (select id from success_messagetemplate where key = %(template)s) as template_id,
        %(category)s as category, %(channel)s as channel, '' as key, %(overrule)s as overrule, %(at)s::timestamptz as latest_at
        from unnest(%(suppliers)s::bigint[]) as x (supplier_id)"""
    return {key: found for key, found in standings(source, values, at=at).items() if key is not None}
