"""CustomerHealthService for one supplier: her score now, from everything committed, with its parts and reasons."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from health import risk, scoring
from health.effective import OVERRIDDEN
from health.scoring import WS142, Inputs, Scorecard
from success import db, metrics
from success.stages import stage

# One statement, its plan kept: sign-in, features and totals from the facts row, active clients by index range, submissions and use from the daily roll-up.
CURRENT = f"""
select s.status, s.created_at, s.trial_ends_at, s.renews_at, f.in_service, f.known_since, f.first_activity_at, f.last_activity_at,
       f.last_sign_in_at, f.features,
       (select count(*) from success_client c where c.supplier_id = s.id and c.archived_at is null and c.last_activity_at >= %(since)s)::integer as clients_active,
       f.clients_total, coalesce(d.forms_started, 0), coalesce(d.forms_completed, 0), coalesce(d.steps_started, 0), coalesce(d.steps_completed, 0),
       coalesce(d.recent, 0), coalesce(d.before, 0),
       f.first_activity_at is not null or exists (select 1 from success_facts where first_activity_at is not null) as any_activity,
       t.score, t.day, v.level, v.by_role, v.reason, v.until
from success_supplier s
join success_facts f on f.supplier_id = s.id
left join lateral (
    select (sum(d.n) filter (where e.meaning = 'form_started' and d.day >= %(from)s))::bigint as forms_started,
           (sum(d.n) filter (where e.meaning = 'form_completed' and d.day >= %(from)s))::bigint as forms_completed,
           (sum(d.n) filter (where e.meaning = 'step_started' and d.day >= %(from)s))::bigint as steps_started,
           (sum(d.n) filter (where e.meaning = 'step_completed' and d.day >= %(from)s))::bigint as steps_completed,
           count(distinct d.day) filter (where {metrics.OWN} and d.day > %(today)s::date - 14) as recent,
           count(distinct d.day) filter (where {metrics.OWN} and d.day > %(today)s::date - 42 and d.day <= %(today)s::date - 14
               and d.day >= (f.known_since at time zone 'UTC')::date) as before
    from success_dailyuse d join success_eventname e on e.id = d.event_id
    where d.supplier_id = s.id and d.day >= least(%(from)s::date, %(today)s::date - 41)
) d on true
left join lateral (
    select score, %(today)s::date - {risk.TREND_DAYS} as day from health_snapshot h
    where h.supplier_id = s.id and h.day <= %(today)s::date - {risk.TREND_DAYS} order by h.day desc limit 1
) t on %(stored)s
{OVERRIDDEN}
where s.external_id = %(id)s
"""


SEVERAL = CURRENT.replace("select s.status", "select s.id, s.status", 1).replace("s.external_id = %(id)s", "s.id = any(%(ids)s)")


@dataclass(frozen=True, slots=True)
class Health:
    """What is known of one supplier's health at an instant, over a window."""

    picture: risk.Picture
    score: scoring.Score | None
    status: str
    stage: str
    before: float | None  # the score a week ago, where it is kept
    before_on: date | None
    override: "Overridden | None" = None

    @property
    def level(self) -> str | None:
        """The level that counts."""
        return self.override.level if self.override and self.score else self.score.level if self.score else None


@dataclass(frozen=True, slots=True)
class Overridden:
    """A level that a person set."""

    level: str
    by_role: str
    reason: str
    until: datetime


def health_of(external_id: str, *, days: int, at: datetime, scorecard: Scorecard = WS142) -> Health | None:
    """The health of a supplier now; None if there is no such supplier."""
    params = parameters(days=days, at=at) | {"id": external_id}
    rows = db.prepared(CURRENT, params)
    return read(rows[0], days=days, at=at, scorecard=scorecard) if rows else None


def healths_of(ids: Collection[int], *, days: int, at: datetime, scorecard: Scorecard = WS142) -> dict[int, Health]:
    """The same for several suppliers, by their keys, in one statement."""
    params = parameters(days=days, at=at) | {"ids": list(ids)}
    return {supplier: read(tuple(row), days=days, at=at, scorecard=scorecard) for supplier, *row in db.rows(SEVERAL, params)} if ids else {}


def parameters(*, days: int, at: datetime) -> dict[str, object]:
    return {
        "at": at,
        "since": at - timedelta(days=days),
        "from": metrics.window_start(at, days),
        "today": at.date(),
        "stored": days == metrics.STORED_WINDOW,
    }


def read(row: tuple[Any, ...], *, days: int, at: datetime, scorecard: Scorecard) -> Health:
    (
        supplier_status,
        created_at,
        trial_ends_at,
        renews_at,
        in_service,
        known_since,
        first,
        last,
        *inputs,
        recent,
        before,
        any_activity,
        old,
        old_day,
    ) = row[:-4]
    override = row[-4:]
    made_from = Inputs(*inputs)
    status = scoring.status(
        in_service=in_service,
        known_since=known_since,
        acted=first is not None,
        has_clients=made_from.clients_total > 0,
        any_activity=any_activity,
        at=at,
    )
    score = scoring.score(scorecard, made_from, at) if status == "ok" else None
    picture = risk.Picture(
        inputs=made_from,
        parts=score.parts if score else (),
        window=days,
        known_since=known_since,
        signed_up=created_at is not None,
        first_activity_at=first,
        last_activity_at=last,
        use=risk.use(recent, before, known_since, at),
        at=at,
    )
    where = stage(status=supplier_status, known_since=known_since, trial_ends_at=trial_ends_at, renews_at=renews_at, at=at)
    return Health(picture, score, status, where, old, old_day, Overridden(*override) if override[0] else None)


def missing(health: Health, scorecard: Scorecard = WS142) -> list[str]:
    """Components of which nothing was ever told us: their points say little."""
    inputs = health.picture.inputs
    told = {
        "login_recency": inputs.last_sign_in_at is not None,
        "feature_adoption": health.picture.first_activity_at is not None,
        "client_activity": inputs.clients_total > 0,
        "form_completion": inputs.forms_started + inputs.forms_completed > 0,
        "journey_performance": inputs.steps_started + inputs.steps_completed > 0,
    }
    return [component.key for component in scorecard.components if not told.get(component.key, True)]


def shown(external_id: str, health: Health, *, time_range: str, breakdown: bool, computed: bool = False, scorecard: Scorecard = WS142) -> dict[str, Any]:
    """Health as the API answers it; `computed` without what our own people made of it."""
    picture, score = health.picture, health.score
    override = None if computed or not score else health.override
    absent = missing(health, scorecard)
    to_next = scorecard.next_level(score.score) if score else None
    answer = {
        "supplier": external_id,
        "time_range": time_range,
        "status": health.status,
        "score": score.score if score else None,
        "level": override.level if override else score.level if score else None,
        "stage": health.stage,
        "override": {"computed_level": score.level, "by_role": override.by_role, "reason": override.reason, "until": override.until}
        if override and score
        else None,
        "reasons": [{"key": reason.key, "text": reason.text, "component": reason.component} for reason in risk.reasons(picture, scorecard)] if score else [],
        "trend": {"change": score.score - health.before, "since": health.before_on} if score and health.before is not None else None,
        "to_next_level": {"level": to_next[0], "points": to_next[1]} if to_next else None,
        "coverage": {"share": 1 - len(absent) / len(scorecard.components), "missing": absent, "last_event_at": picture.last_activity_at},
        "scorecard": {"key": scorecard.key, "version": scorecard.version},
        "computed_at": picture.at,
    }
    return answer | {"parts": parts(picture, scorecard)} if breakdown else answer


def parts(picture: risk.Picture, scorecard: Scorecard) -> list[dict[str, Any]]:
    return [
        {"key": component.key, "points": points, "max": component.max, "inputs": component.explain(picture.inputs, picture.at)}
        for component, points in zip(scorecard.components, picture.parts, strict=False)
    ]
