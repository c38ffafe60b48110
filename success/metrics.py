"""MetricsAggregator: the facts about a supplier, or all of them, over 7, 30 or 90 days; kept current, and counted again to be sure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from success import db

WINDOWS = {"7d": 7, "30d": 30, "90d": 90}
STORED_WINDOW = 30  # days: the window of the counters on the facts row


@dataclass(frozen=True, slots=True)
class Chunk:
    """Suppliers with first <= id <= last."""

    first: int
    last: int


def window_start(at: datetime, days: int) -> date:
    """The first UTC day of the window: today and the days - 1 before."""
    return at.date() - timedelta(days=days - 1)


# ---------------------------------------------------------------- passing time

# Boundaries are moved lazily, only where something fades; until then any boundary in between gives the same count.
FADES = """(f.dirty_at is not null or f.oldest_active_at < %(since)s
    or (f.window_from < %(from)s and f.forms_started + f.forms_completed + f.steps_started + f.steps_completed > 0))"""
TOUCHED = "select supplier_id from success_facts where dirty_at is not null order by supplier_id limit %s for update skip locked"
FADE_CLIENTS = """update success_facts f set clients_since = %(since)s, clients_active = x.active, oldest_active_at = x.oldest
    from (select g.supplier_id, count(c.id) as active, min(c.last_activity_at) as oldest
          from success_facts g left join success_client c on c.supplier_id = g.supplier_id and c.archived_at is null and c.last_activity_at >= %(since)s
          where g.supplier_id = any(%(ids)s) and g.oldest_active_at < %(since)s group by 1) x
    where f.supplier_id = x.supplier_id"""
FADE_DAYS = """update success_facts f set window_from = %(from)s,
        forms_started = f.forms_started - x.forms_started, forms_completed = f.forms_completed - x.forms_completed,
        steps_started = f.steps_started - x.steps_started, steps_completed = f.steps_completed - x.steps_completed
    from (select g.supplier_id, coalesce(sum(d.n) filter (where e.meaning = 'form_started'), 0) as forms_started,
                 coalesce(sum(d.n) filter (where e.meaning = 'form_completed'), 0) as forms_completed,
                 coalesce(sum(d.n) filter (where e.meaning = 'step_started'), 0) as steps_started,
                 coalesce(sum(d.n) filter (where e.meaning = 'step_completed'), 0) as steps_completed
          from success_facts g left join success_dailyuse d on d.supplier_id = g.supplier_id and d.day >= g.window_from and d.day < %(from)s
          left join success_eventname e on e.id = d.event_id
          where g.supplier_id = any(%(ids)s) and g.window_from < %(from)s group by 1) x
    where f.supplier_id = x.supplier_id"""


def boundaries(at: datetime) -> dict[str, object]:
    """Where the windows of the counters begin at an instant: parameters of FADES."""
    return {"since": at - timedelta(days=STORED_WINDOW), "from": window_start(at, STORED_WINDOW)}


def lock_touched(*, limit: int) -> list[int]:
    """Locks the facts that changed since they were last scored, passing over those another works on."""
    return [supplier for (supplier,) in db.rows(TOUCHED, [limit])]


def age(ids: Collection[int], *, at: datetime) -> None:
    """Takes out of the counters of locked facts what left its window by passing time."""
    if ids:
        params = {"ids": list(ids), **boundaries(at)}
        db.execute(FADE_CLIENTS, params)
        db.execute(FADE_DAYS, params)


def clean(ids: Collection[int]) -> None:
    """Takes the dirty mark from locked facts: a score has seen them."""
    if ids:
        db.execute("update success_facts set dirty_at = null, dirty_quiet = true where supplier_id = any(%s) and dirty_at is not null", [list(ids)])


def count(only: Collection[int] | None = None) -> int:
    """How many suppliers there are, all or of those named."""
    if only is None:
        return int(db.rows("select count(*) from success_facts")[0][0])
    return int(db.rows("select count(*) from success_facts where supplier_id = any(%s)", [list(only)])[0][0])


def any_activity() -> bool:
    """Whether any source has ever sent any activity at all."""
    return bool(db.rows("select exists (select 1 from success_facts where first_activity_at is not null)")[0][0])


def chunks(size: int, *, only: Collection[int] | None = None) -> list[Chunk]:
    """All suppliers, or those named, in ranges of about `size`."""
    where = "where supplier_id = any(%s)" if only is not None else ""
    found = db.rows(
        f"""select min(supplier_id), max(supplier_id)
            from (select supplier_id, row_number() over (order by supplier_id) - 1 as n from success_facts {where}) x group by n / %s order by 1""",
        [*([list(only)] if only is not None else []), size],
    )
    return [Chunk(*row) for row in found]


# ---------------------------------------------------------------- a supplier's own use, recent against before


OWN = "e.meaning not in ('sign_in_reported', 'client_active', 'form_started', 'form_completed', 'step_started', 'step_completed')"
USE = f"""select f.supplier_id, count(distinct d.day) filter (where d.day > %(today)s::date - 14),
        count(distinct d.day) filter (where d.day <= %(today)s::date - 14),
        least(28, %(today)s::date - 13 - (f.known_since at time zone 'UTC')::date)
    from success_facts f
    join success_dailyuse d on d.supplier_id = f.supplier_id and d.day > %(today)s::date - 42 and d.day <= %(today)s::date
        and d.day >= (f.known_since at time zone 'UTC')::date
    join success_eventname e on e.id = d.event_id and {OWN}
    where f.supplier_id = any(%(ids)s) and %(at)s - f.known_since >= interval '28 days' group by f.supplier_id"""


def use_of(ids: Collection[int], *, at: datetime) -> dict[int, tuple[int, int, int]]:
    """Days on which suppliers did something themselves: of the last 14 with today, of the up to 28 before them, and how many those are.

    The younger than 28 days, and those without any in 42 days, are left out.
    """
    return {supplier: tuple(counts) for supplier, *counts in db.rows(USE, {"ids": list(ids), "today": at.date(), "at": at})}
