"""What a supplier of the demo does on a day: the same for whoever asks, so that playing on continues what was loaded. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from math import exp
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from config.local.demo.world import NEVER, PLANS, TRIAL, Life, season

OWN_WEEK = (1.0, 1.0, 0.95, 0.95, 0.85, 0.15, 0.6)  # suppliers work Monday to Friday, and on Sunday evenings
COUPLES_WEEK = (0.7, 0.7, 0.75, 0.7, 0.75, 1.6, 1.8)  # couples have time at weekends
PAGES = ("Dashboard", "Clients", "Forms", "Journeys", "Calendar", "Templates", "Invoices")
PAST_DUE = timedelta(days=6)
VISITS = 0.06  # of a supplier of eagerness 1, a day
ONWARDS = {"Form Created": ("Form Started", "Form Completed", 0.3), "Journey Created": ("Journey Step Started", "Journey Step Completed", 0.25)}


@dataclass(frozen=True, slots=True)
class Message:
    """A message as Segment's libraries send it. Its id follows from the supplier and the day."""

    id: str
    at: datetime
    supplier: str
    event: str | None = None  # none: it identifies
    properties: dict[str, Any] = field(default_factory=dict)
    traits: dict[str, Any] = field(default_factory=dict)
    routine: bool = False  # superseded by the next one of the kind

    def json(self) -> bytes:
        what = {"type": "track", "event": self.event, "properties": self.properties} if self.event else {"type": "identify", "traits": self.traits}
        return msgspec.json.encode({"messageId": self.id, "userId": self.supplier, "timestamp": self.at, **what})


@lru_cache(maxsize=20_000)
def midnight(zone: ZoneInfo, day: date) -> float:
    return datetime.combine(day, time(), zone).timestamp()


# ---------------------------------------------------------------- what she and her clients do

Happening = tuple[float, str, dict[str, Any]]  # hour of the day, event, properties


def events_of(life: Life, day: date) -> list[Message]:
    """What happens at a supplier's on a day of her own calendar, in the order of time."""
    eagerness = life.eagerness(day)
    if not eagerness:
        return []
    rng = Random(life.seed + day.toordinal())
    happened = [*her_day(rng, life, day, eagerness), *clients_day(rng, life, day, eagerness)]
    start = midnight(life.person.zone, day)
    messages = []
    for n, (hour, event, properties) in enumerate(sorted(happened, key=lambda happening: happening[:2])):
        at = datetime.fromtimestamp(start + round(hour * 3600, 3), UTC)
        if at >= life.created_at:
            messages.append(Message(f"{life.id}/{day}/{n}", at, life.id, event, properties))
    return messages


def her_day(rng: Random, life: Life, day: date, eagerness: float) -> Iterator[Happening]:
    age = (day - life.known_from).days
    first_uses = [feature for feature, used_on in life.features if used_on == age]
    joined = life.newcomer and age == 0
    if not (joined or first_uses or rng.random() < 0.64 * eagerness * OWN_WEEK[day.weekday()]):
        return
    hour = (life.created_at.timestamp() - midnight(life.person.zone, day)) / 3600 + 0.02 if joined else working_hour(rng, day)
    yield hour, "Signed In", {}
    for _ in range(poisson(rng, 0.3)):
        yield hour + rng.uniform(0.01, 0.6), "Page Viewed", {"page": rng.choice(PAGES)}
    again = [feature for feature, used_on in life.features if used_on < age and feature != "Clients Imported" and rng.random() < 0.05]
    for feature in first_uses + again:
        properties = {"count": max(2, life.clients // 2)} if feature == "Clients Imported" else {}
        yield hour + rng.uniform(0.05, 0.9), feature, properties


def working_hour(rng: Random, day: date) -> float:
    if day.weekday() == 6:
        return rng.uniform(18.5, 21.5)
    return min(18.5, max(7.5, rng.gauss(12, 3)))


def clients_day(rng: Random, life: Life, day: date, eagerness: float) -> Iterator[Happening]:
    """Couples answer in the evening, and at weekends; more of them before and in the season."""
    age = (day - life.known_from).days
    high = season(day, south=life.person.south)
    busy = 1.0 + 0.1 * high
    known = life.clients if not life.newcomer else max(2, min(life.clients, 2 + age // 6))
    used = dict(life.features)
    if used.get("Clients Imported", 0) > age:
        return
    for _ in range(poisson(rng, known * eagerness * VISITS * busy * COUPLES_WEEK[day.weekday()])):
        client = {"client_id": f"cl_{life.seed >> 22:x}_{rng.randrange(known) + 1}"}
        hour = rng.uniform(9.5, 22.8) if day.weekday() > 4 else min(23.3, max(8.0, rng.gauss(20, 1.4)))
        yield hour, "Client Active", client
        for feature, (started, completed, often) in ONWARDS.items():
            if used.get(feature, age) < age and rng.random() < often * (0.8 + 0.5 * high):
                yield hour + 0.02, started, client
                if rng.random() < life.completion:
                    yield hour + rng.uniform(0.05, 0.5), completed, client


def poisson(rng: Random, mean: float) -> int:
    n, left = 0, rng.random()
    term = exp(-mean)
    while left > term and n < 50:
        left -= term
        n += 1
        term *= mean / n
    return n


# ---------------------------------------------------------------- what the product knows of her account


def traits_of(life: Life, day: date) -> list[Message]:
    """What changes in her account on a day: it begins, is paid, lapses, pauses, ends or begins anew."""
    traits: dict[str, Any] = {}
    routine = False
    if day == life.known_from:
        traits = beginning(life)
    elif day == life.pauses:
        traits = {"status": "paused", "mrr": 0}
    elif life.leaves < NEVER and day == life.leaves:
        traits = {"status": "cancelled", "cancelled_at": morning(life, day).isoformat(), "mrr": 0, "renews_at": None}
    elif day == life.returns:
        traits = {"status": "active", "cancelled_at": None, **paid(life, day)}
    elif life.here(day) and day == conversion(life):
        traits = {"status": "active", **paid(life, day)}
    elif life.here(day) and renews(life, day):
        traits, routine = {"status": "past_due" if bounces(life, day) else "active", **paid(life, day)}, True
    elif life.here(day) and renews(life, late := day - PAST_DUE) and bounces(life, late):
        traits, routine = {"status": "active"}, False
    if not traits:
        return []
    return [Message(traits_id(life.id, day), told_at(life, day), life.id, traits=traits, routine=routine)]


def told_at(life: Life, day: date) -> datetime:
    if day > life.known_from:
        return max(morning(life, day), life.created_at)
    return life.created_at if life.newcomer else datetime.fromtimestamp(midnight(life.person.zone, day), UTC)


def traits_id(supplier: str, day: date) -> str:
    return f"{supplier}/{day}/traits"


def morning(life: Life, day: date) -> datetime:
    return datetime.fromtimestamp(midnight(life.person.zone, day), UTC) + timedelta(hours=9)


def conversion(life: Life) -> date:
    return life.created_at.date() + timedelta(days=TRIAL) if life.newcomer else NEVER


def beginning(life: Life) -> dict[str, Any]:
    person = life.person
    about = {
        "name": person.name, "email": person.email, "phone": person.phone, "locale": person.locale, "timezone": person.zone.key, "company": person.company,
        "vertical": person.trade, "plan": life.plan, "currency": person.currency, "owner": life.owner, "internal": life.internal,
        "created_at": life.created_at.isoformat(),
    }  # fmt: skip
    if life.newcomer:
        return about | {"status": "trial", "trial_ends_at": (life.created_at + timedelta(days=TRIAL)).isoformat(), "mrr": 0}
    return about | {"status": "active", **paid(life, life.known_from)}


def paid(life: Life, day: date) -> dict[str, Any]:
    rate = {"SEK": 11.0, "USD": 1.1, "CAD": 1.4, "AUD": 1.6, "NZD": 1.7}.get(life.person.currency, 1.0)
    until = next(after for n in range(1, 400) if renews(life, after := day + timedelta(days=n)))
    return {"mrr": round(PLANS[life.plan] * rate), "renews_at": morning(life, until).isoformat()}


def renews(life: Life, day: date) -> bool:
    """Each month, or each year, on the day she came."""
    return day.day == min(life.created_at.day, 28) and (not life.yearly or day.month == life.created_at.month)


def bounces(life: Life, day: date) -> bool:
    """Whether the payment of a renewal fails at first."""
    return Random(life.seed + day.toordinal()).random() < 0.05
