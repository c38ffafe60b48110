"""What is known of a supplier, for conditions: each app registers its own from its `facts.py`; the ground's are here."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from success import conditions, db
from success.conditions import Bound, Condition, Fact
from success.models import CustomField, Feature
from success.models.suppliers import Kind, Status
from success.stages import IN_SERVICE, KNOWN_SINCE, STAGES, stage_sql

_registered: dict[str, Fact] = {}
_more: list[Callable[[], Iterable[Fact]]] = []


def register(*facts: Fact) -> None:
    """From an app's `facts.py`."""
    _registered.update({fact.key: fact for fact in facts})


def register_more(found: Callable[[], Iterable[Fact]]) -> None:
    """Facts that data make: found again each time they are asked for."""
    _more.append(found)


_held: ContextVar[dict[str, Fact] | None] = ContextVar("facts", default=None)


@contextmanager
def held() -> Iterator[None]:
    """Within, what facts there are is read once. Also a decorator: of a page, a step, a sweep."""
    token = _held.set(known())
    try:
        yield
    finally:
        _held.reset(token)


def known() -> dict[str, Fact]:
    """Every fact by its key."""
    if (found := _held.get()) is not None:
        return found
    return _registered | {fact.key: fact for found in _more for fact in found()}


def condition(raw: Any) -> Condition:
    """The condition that was sent as JSON. Raises `conditions.Invalid`."""
    return conditions.parse(raw, known())


def sentence(of: Condition) -> str:
    """A condition in words."""
    return conditions.sentence(of, known())


def values_of(ids: Collection[int], keys: Collection[str], *, at: datetime) -> dict[int, dict[str, Any]]:
    """What is known of suppliers, by the keys that tests ask for (`clients`, `events:30:Form Created`), in one statement; null is not known."""
    facts, bound, asked = known(), Bound(), list(keys)
    read = [parts_of(key) for key in asked]
    joins = conditions.joins([facts[fact] for fact, _, _ in read], bound, at)
    chosen = ", ".join(["s.id", *(conditions.expression(facts[fact], bound, at, days, event) for fact, days, event in read)])
    rows = db.rows(f"select {chosen} from success_supplier s {joins} where s.id = any({bound(list(ids))})", bound.params)
    return {supplier: dict(zip(asked, values, strict=True)) for supplier, *values in rows}


def parts_of(key: str) -> tuple[str, int | None, str | None]:
    """A fact, the days of its window, and the event it is about."""
    fact, *rest = key.split(":", 2) if not key.startswith(CUSTOM) else [key]
    return fact, int(rest[0]) if rest and rest[0] else None, rest[1] if len(rest) > 1 else None


# ---------------------------------------------------------------- the account

CUSTOM = "custom."


def choices(values: Mapping[str, str] | Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Keys with their words."""
    return tuple(values.items()) if isinstance(values, Mapping) else tuple((value, value.replace("_", " ")) for value in values)


def days_since(instant: str) -> str:
    """Whole days of 24 hours."""
    return f"floor(extract(epoch from %(at)s - {instant}) / 86400)::integer"


ACCOUNT = "Account"
OWNER = "left join auth_user o on o.id = s.owner_id"
register(
    Fact(key="plan", group=ACCOUNT, type="text", words="plan", sql="nullif(s.plan, '')"),
    Fact(key="vertical", group=ACCOUNT, type="text", words="trade", sql="nullif(s.vertical, '')"),
    Fact(key="status", group=ACCOUNT, type="choice", words="status", sql="s.status", choices=choices(Status.values), sure=True),
    Fact(
        key="stage", group=ACCOUNT, type="choice", words="stage", sql=stage_sql("%(at)s"), sure=True,
        choices=choices({**dict(choices(STAGES)), "active": "under way", "at_end": "ends soon"}),
    ),
    Fact(key="in_service", group=ACCOUNT, type="boolean", words="in service", sql=IN_SERVICE, sure=True),
    Fact(key="owner", group=ACCOUNT, type="text", words="owner", sql="o.username", joins=(OWNER,)),
    Fact(key="signed_up_at", group=ACCOUNT, type="moment", words="sign-up", phrase="signed up {}", sql=KNOWN_SINCE, sure=True),
    Fact(
        key="days_since_signed_up", group=ACCOUNT, type="number", words="days since sign-up", phrase="signed up {} day{s} ago", sure=True,
        sql=days_since(KNOWN_SINCE),
    ),
    Fact(key="trial_ends_at", group=ACCOUNT, type="moment", words="end of the trial", phrase="trial ends {}", sql="s.trial_ends_at"),
    Fact(key="renews_at", group=ACCOUNT, type="moment", words="renewal", phrase="renews {}", sql="s.renews_at"),
    Fact(key="mrr", group=ACCOUNT, type="number", words="MRR", sql="s.mrr"),
    Fact(key="currency", group=ACCOUNT, type="text", words="currency", sql="nullif(s.currency, '')"),
)  # fmt: skip

# Of a custom field only values of its kind are known.
OF_KIND = {
    Kind.TEXT: "nullif(s.custom ->> %(name)s, '')",
    Kind.NUMBER: "case when jsonb_typeof(s.custom -> %(name)s) = 'number' then (s.custom ->> %(name)s)::float8 end",
    Kind.BOOLEAN: "case when jsonb_typeof(s.custom -> %(name)s) = 'boolean' then (s.custom ->> %(name)s)::boolean end",
}


def custom() -> Iterable[Fact]:
    """The custom fields that are declared."""
    for name, kind in CustomField.objects.order_by("name").values_list("name", "kind"):
        yield Fact(key=CUSTOM + name, group="Custom fields", type=kind, words=name, sql=OF_KIND[Kind(kind)], params=(("name", name),))


register_more(custom)

# ---------------------------------------------------------------- what she does

USE = "Use"
FACTS = "join success_facts f on f.supplier_id = s.id"
EVENT = "(select id from success_eventname where name = %(event)s)"
EVER = f"coalesce((select u.n from success_eventuse u where u.supplier_id = s.id and u.event_id = {EVENT}), 0)"
TODAY = "(%(at)s at time zone 'UTC')::date"
OVER = f"""coalesce((select sum(d.n) from success_dailyuse d where d.supplier_id = s.id and d.event_id = {EVENT}
    and d.day > {TODAY} - %(days)s and d.day <= {TODAY}), 0)::bigint"""
ACTIVE = """(select count(*) from success_client c where c.supplier_id = s.id and c.archived_at is null
    and c.last_activity_at >= %(at)s - %(days)s * interval '24 hours')"""


def features() -> Iterable[Fact]:
    """The features that the product has."""
    yield Fact(
        key="features", group=USE, type="keys", words="features used", joins=(FACTS,), sure=True,
        choices=tuple(Feature.objects.order_by("bit").values_list("key", "name")),
        sql="array(select e.key::text from success_feature e where f.features & (1::bigint << e.bit) <> 0)",
    )  # fmt: skip


register_more(features)


register(
    Fact(key="last_sign_in_at", group=USE, type="moment", words="last sign-in", phrase="last signed in {}", sql="f.last_sign_in_at", joins=(FACTS,)),
    Fact(key="last_activity_at", group=USE, type="moment", words="last activity", phrase="last did something {}", sql="f.last_activity_at", joins=(FACTS,)),
    Fact(
        key="days_quiet", group=USE, type="number", words="days quiet", phrase="quiet for {} day{s}", joins=(FACTS,), sure=True,
        sql=days_since("coalesce(f.last_activity_at, f.known_since)"),
    ),
    Fact(
        key="features_used", group=USE, type="number", words="number of features used", phrase="{} feature{s} used", joins=(FACTS,), sure=True,
        sql="bit_count(f.features::bit(64))::integer",
    ),
    Fact(key="clients", group=USE, type="number", words="clients known", phrase="{} client{s} known", sql="f.clients_total", joins=(FACTS,), sure=True),
    Fact(key="clients_active", group=USE, type="number", words="clients active", phrase="{} client{s} active", over=ACTIVE, sure=True),
    Fact(
        key="events", group=USE, type="number", words="how often something happened", phrase="{event} happened {} time{s}", sure=True,
        sql=EVER, over=OVER, event=True,
    ),
)  # fmt: skip
