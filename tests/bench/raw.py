"""Facts as one pass over the raw tables gives them."""

from datetime import datetime, timedelta

from success import metrics

# A facts row counted from what the suppliers and their clients did, in one pass.
RAW = """(
    select s.id as supplier_id, s.status not in ('cancelled', 'paused') and not s.internal as in_service,
           coalesce(s.created_at, s.first_seen_at) as known_since,
           a.last_sign_in_at, c.oldest_active_at, a.first_activity_at, a.last_activity_at, coalesce(a.features, 0) as features,
           coalesce(c.total, 0) as clients_total, coalesce(c.active, 0) as clients_active, coalesce(a.forms_started, 0) as forms_started,
           coalesce(a.forms_completed, 0) as forms_completed, coalesce(a.steps_started, 0) as steps_started, coalesce(a.steps_completed, 0) as steps_completed
    from success_supplier s
    left join (
        select n.supplier_id, max(occurred_at) filter (where meaning in ('sign_in', 'sign_in_reported')) as last_sign_in_at,
               bit_or(1::bigint << e.feature) as features, min(occurred_at) filter (where meaning <> 'sign_in_reported') as first_activity_at,
               max(occurred_at) filter (where meaning <> 'sign_in_reported') as last_activity_at,
               count(*) filter (where meaning = 'form_started' and occurred_at >= %(from)s) as forms_started,
               count(*) filter (where meaning = 'form_completed' and occurred_at >= %(from)s) as forms_completed,
               count(*) filter (where meaning = 'step_started' and occurred_at >= %(from)s) as steps_started,
               count(*) filter (where meaning = 'step_completed' and occurred_at >= %(from)s) as steps_completed
        from success_activity n join success_eventname e on e.id = n.event_id group by 1
    ) a on a.supplier_id = s.id
    left join (
        select supplier_id, count(*) filter (where archived_at is null) as total,
               count(*) filter (where archived_at is null and last_activity_at >= %(since)s) as active,
               min(last_activity_at) filter (where archived_at is null and last_activity_at >= %(since)s) as oldest_active_at
        from success_client group by 1
    ) c on c.supplier_id = s.id)"""


def params(at: datetime) -> dict[str, object]:
    start = metrics.window_start(at, metrics.STORED_WINDOW)
    return {"at": at, "since": at - timedelta(days=metrics.STORED_WINDOW), "from": datetime(start.year, start.month, start.day, tzinfo=at.tzinfo)}
