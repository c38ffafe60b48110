"""RiskAssessment, for the people who act on it: which suppliers need somebody, and in what order."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from health.effective import AT_RISK
from success import columns, db
from success.stages import IN_SERVICE, KNOWN_SINCE, stage_sql

MOST = 20
MOST_NEW = 8
WEEK = timedelta(days=7)
WORST = "array_position(array['critical', 'at_risk', 'healthy'], {})"  # 1 the worst


@dataclass(frozen=True, slots=True)
class Line:
    """A supplier who needs somebody."""

    key: int
    id: str
    name: str
    mrr: float | None
    currency: str
    ends_at: datetime | None
    trial: bool
    owner: str | None
    stage: str
    level: str | None
    score: float | None
    level_before: str | None
    level_since: datetime | None
    fell: bool
    contacted_at: datetime | None


@dataclass(slots=True)
class Found:
    """The first of a list, and how many are in it."""

    lines: list[Line]
    total: int = 0


@dataclass(frozen=True, slots=True)
class Book:
    """Suppliers in service by level with those that came to it this week, their money at risk by currency, and who is left out."""

    levels: dict[str, int]
    came: dict[str, int]
    at_risk: dict[str, float]
    snoozed: int
    by_hand: int
    left_out: dict[str, int]

    @property
    def by_level(self) -> list[tuple[str, int, int]]:
        return [(level, n, self.came[level]) for level, n in self.levels.items()]


OF_BOOK = f"{IN_SERVICE} and (%(owner)s::integer is null or s.owner_id = %(owner)s) and (not %(unassigned)s or s.owner_id is null)"


def everyone() -> str:
    """Suppliers `x` in service whom this reader asks about, with all that the order needs."""
    level, before = columns.expression("level"), "a.level_before"
    return f"""select s.id as key, s.external_id as id, s.mrr, s.currency, s.owner_id, s.status = 'trial' as trial,
            case s.status when 'trial' then s.trial_ends_at else s.renews_at end as ends_at, {stage_sql("%(at)s")} as stage,
            {level} as level, a.score, {before} as level_before, a.level_since, a.declining, {KNOWN_SINCE} as known_since,
            coalesce(a.level_since > %(week)s and {WORST.format(level)} < {WORST.format(before)}, false) as fell
        from success_supplier s {columns.joins()}
        where {OF_BOOK}"""


SNOOZED = "select supplier_id from success_snooze where ended_at is null and until > %(at)s"
AWAKE = f"s.id <> all(array({SNOOZED}))"
NEEDS = "x.stage <> 'new' and (x.level in ('critical', 'at_risk') or x.declining or (x.stage = 'at_end' and x.level is null))"
USUAL = "left join unnest(%(currencies)s::text[], %(usual)s::float8[]) u (currency, usual) on u.currency = x.currency"


@dataclass(frozen=True, slots=True)
class Ranking:
    """Who stands in a list, in which order, and how many at most; and what all of them have in common that an index finds."""

    where: str
    order: str
    most: int
    among: str = "true"

    def first(self) -> str:
        """The keys of the first, each beside how many there are."""
        found = f"({everyone()} and {AWAKE} and {self.among}) x {USUAL if 'u.' in self.order else ''}"
        return f"select x.key, count(*) over () from {found} where {self.where} order by {self.order} limit {self.most}"


LISTS = {
    "needing": Ranking(NEEDS, "x.fell desc, coalesce(x.mrr / u.usual, 0) * greatest(70 - coalesce(x.score, 70), 0) desc, x.ends_at, x.key", MOST),
    "trying": Ranking(f"x.trial and {NEEDS}", "x.fell desc, x.ends_at, x.key", MOST_NEW, "s.status = 'trial'"),
    "new": Ranking("x.stage = 'new'", "x.known_since desc, x.key", MOST_NEW, f"{KNOWN_SINCE} > %(week)s"),
}
FELL = replace(LISTS["needing"], where=f"x.fell and {NEEDS}", among="a.level_since > %(week)s")


LINES = """select x.key, x.id, coalesce(nullif(c.name, ''), x.id), x.mrr, x.currency, x.ends_at, x.trial,
        coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''), u.username), x.stage, x.level, x.score, x.level_before, x.level_since, x.fell, t.at
    from ({everyone}) x
    left join success_contact c on c.supplier_id = x.key and c.is_primary
    left join auth_user u on u.id = x.owner_id
    left join lateral (select at from success_touchpoint where supplier_id = x.key order by at desc limit 1) t on true"""


def chosen(which: str) -> str:
    """A statement that finds the suppliers of a list, or those who are snoozed, for those who show them all."""
    if which == "snoozed":
        return f"select key from ({everyone()} and not {AWAKE}) x"
    return f"select key from ({everyone()} and {AWAKE}) x where {LISTS[which].where}"


def aside() -> str:
    """How many are snoozed, how many of them need somebody, and of how many the level was set by hand.

    Beginning with the few of whom that is so: among all it takes a pass over everybody to find them.
    """
    asleep = f"{everyone()} and s.id = any(array({SNOOZED}))"
    return f"""select count(*), count(*) filter (where {NEEDS}), (
            select count(*) from health_override v join success_supplier s on s.id = v.supplier_id
            join health_assessment a on a.supplier_id = s.id where v.ended_at is null and v.until > %(at)s and a.level is not null and {OF_BOOK}
        ) from ({asleep}) x"""


def params(*, owner: int | None, unassigned: bool, at: datetime) -> dict[str, Any]:
    return {"owner": owner, "unassigned": unassigned, "at": at, "week": at - WEEK}


def today(*, owner: int | None = None, unassigned: bool = False, at: datetime) -> tuple[dict[str, Found], Book]:
    """Who needs somebody, three lists; and the suppliers of one of us, or all, in numbers.

    `needing`: at most 20 past their first week, those who fell this week first, then by money times distance below 70, then by the end of trial or term.
    Money is measured by what is usual in its currency: 869 Swedish crowns are not eleven times 79 pounds.
    `trying`: those on trial who need somebody and are not among them: money cannot rank who pays nothing yet.
    `new`: the latest of those in their first week.
    """
    asked = params(owner=owner, unassigned=unassigned, at=at)
    counted, needing, usual = count(asked)
    asked |= {"currencies": list(usual), "usual": list(usual.values())}
    found = first(asked)
    lines = lines_of({key for keys, _ in found.values() for key in keys}, asked)
    totals = {name: total for name, (_, total) in found.items()} | {"needing": needing}
    above = found["needing"][0]
    shown = {name: [key for key in keys if key in lines and (name != "trying" or key not in above)] for name, (keys, _) in found.items()}
    return {name: Found([lines[key] for key in keys], totals[name]) for name, keys in shown.items()}, counted


def first(asked: dict[str, Any]) -> dict[str, tuple[list[int], int]]:
    """The first of each list. Where enough fell this week, they are the first of those who need somebody: the others need no ranking."""
    found = {name: keys_of(FELL if name == "needing" else ranking, asked) for name, ranking in LISTS.items()}
    if len(found["needing"][0]) < MOST:
        found["needing"] = keys_of(LISTS["needing"], asked)
    return found


def keys_of(ranking: Ranking, asked: dict[str, Any]) -> tuple[list[int], int]:
    """The keys of the first, and how many there are."""
    rows = db.rows(ranking.first(), asked)
    return [key for key, _ in rows], rows[0][1] if rows else 0


def lines_of(keys: Collection[int], asked: dict[str, Any]) -> dict[int, Line]:
    rows = db.rows(LINES.format(everyone=f"{everyone()} and s.id = any(%(keys)s)"), asked | {"keys": list(keys)})
    return {row[0]: Line(*row) for row in rows}


def count(asked: dict[str, Any]) -> tuple[Book, int, dict[str, float]]:
    """In one pass over the book: its numbers, how many need somebody, and what one pays usually, by currency."""
    found = db.rows(
        f"""select coalesce(x.level, 'none'), x.currency, coalesce(x.level_since > %(week)s, false), coalesce({NEEDS}, false),
                count(*), coalesce(sum(x.mrr), 0), count(*) filter (where x.mrr > 0)
            from ({everyone()}) x group by 1, 2, 3, 4""",
        asked,
    )
    levels, came = (dict.fromkeys(("critical", "at_risk", "healthy", "none"), 0) for _ in range(2))
    at_risk, paid, payers, needing = Counter[str](), Counter[str](), Counter[str](), 0
    for level, currency, new, needs, n, mrr, paying in found:
        levels[level] += n
        came[level] += n * new
        needing += n * needs
        paid[currency] += mrr
        payers[currency] += paying
        if level in AT_RISK and mrr:
            at_risk[currency] += mrr
    [(snoozed, asleep, by_hand)] = db.rows(aside(), asked)
    book = Book(levels, came, dict(at_risk.most_common()), snoozed, by_hand, left_out(owner=asked["owner"], unassigned=asked["unassigned"]))
    return book, needing - asleep, {currency: paid[currency] / n for currency, n in payers.items() if n}


def left_out(*, owner: int | None = None, unassigned: bool = False) -> dict[str, int]:
    """How many cancelled, paused and internal suppliers no list and no sum counts."""
    found = db.rows(
        """select case when internal then 'internal' else status end, count(*) from success_supplier s
            where (internal or status in ('cancelled', 'paused')) and (%(owner)s::integer is null or s.owner_id = %(owner)s)
              and (not %(unassigned)s or s.owner_id is null) group by 1 order by 1""",
        {"owner": owner, "unassigned": unassigned},
    )
    return dict(found)
