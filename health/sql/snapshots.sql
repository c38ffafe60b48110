-- Closes days into snapshots: the state of each supplier as of the last instant of each day from first to last, from roll-ups alone, by
-- running sums over a day grid (one pass, not one per day). A day is written where it differs from the state before it.
-- A day that was closed before is kept as it was known then, unless it is to be written over; the first kept day after a written one
-- is joined to it anew. Words in braces are put in by health.history.
-- Every table is bounded by the range of suppliers itself: through a join alone the planner reads all of it for each range.

with closed as (                           -- days that were closed before, and for suppliers up to which id
    select d::date as day, max(c.through) as through
    from health_closing c, generate_series(greatest(c.first_day, %(first)s::date), least(c.last_day, %(last)s::date + 1), interval '1 day') d group by 1
), failed as (                             -- but for these
    select x.key::bigint as supplier_id, d::date as day
    from health_closing c, jsonb_each(c.failures) x, generate_series(greatest(c.first_day, %(first)s::date), least(c.last_day, %(last)s::date), interval '1 day') d
), known as (                              -- the row in force before the range, and the first there is in it and after it
    select f.supplier_id, f.known_since, f.first_activity_at, p.day as before_on, h.day as first_on, n.day as next_on
    from success_facts f
    left join lateral (select day from health_snapshot where supplier_id = f.supplier_id and day < %(first)s order by day desc limit 1) p on true
    left join lateral (select day from health_snapshot where supplier_id = f.supplier_id and day >= %(first)s order by day limit 1) h on true
    left join lateral (select day from health_snapshot where supplier_id = f.supplier_id and day > %(last)s order by day limit 1) n on true
    where f.supplier_id between %(low)s and %(high)s
), supplier as materialized (              -- after_on: the day after the range that is kept, if one is
    select k.*, coalesce(k.before_on, k.first_on) as kept_from,
           case when c.day is not null and coalesce(k.before_on, k.first_on) <= c.day then c.day else k.next_on end as after_on
    from known k left join closed c on c.day = %(last)s::date + 1 and c.through >= k.supplier_id
), day as (
    select d::date as day from generate_series(%(first)s::date, %(last)s::date, interval '1 day') d
), grid as (
    select supplier_id, %(base)s::date as day, true as kept from supplier
    union all
    select s.supplier_id, d.day,
           not %(overwrite)s and c.day is not null and s.kept_from <= d.day
           and (s.supplier_id, d.day) not in (select supplier_id, day from failed)
    from supplier s cross join day d left join closed c on c.day = d.day and c.through >= s.supplier_id
    union all
    select supplier_id, after_on, true from supplier where after_on is not null
),

-- What changed on which day. A change before the grid, or between two of its days, stands on the next day of the grid.

used as materialized (
    select d.supplier_id, d.day, d.n, d.last_at, e.meaning, s.after_on
    from supplier s
    join success_dailyuse d on d.supplier_id = s.supplier_id and d.supplier_id between %(low)s and %(high)s and d.day >= %(base)s::date - 29 and d.day <= coalesce(s.after_on, %(last)s)
    join success_eventname e on e.id = d.event_id and e.meaning in ('sign_in', 'sign_in_reported', 'form_started', 'form_completed', 'step_started', 'step_completed')
), signed_in as (                          -- of before the roll-ups read: the last there was
    select supplier_id, day, last_at, after_on from used where meaning in ('sign_in', 'sign_in_reported')
    union all
    select u.supplier_id, %(base)s::date,
           case when u.last_at < %(base)s::date - 29 then u.last_at
                else (select d.last_at from success_dailyuse d
                      where d.supplier_id = u.supplier_id and d.event_id = u.event_id and d.day < %(base)s::date - 29 order by d.day desc limit 1) end,
           s.after_on
    from supplier s
    join success_eventuse u on u.supplier_id = s.supplier_id and u.supplier_id between %(low)s and %(high)s and u.first_at < %(base)s::date - 29
    join success_eventname e on e.id = u.event_id and e.meaning in ('sign_in', 'sign_in_reported')
), submitted as (                          -- counted from its day on, and gone by time 30 days later
    select u.supplier_id, x.day, u.meaning, x.n, x.gone, u.after_on
    from used u cross join lateral (values (u.day, u.n, 0), (u.day + 30, -u.n, u.n)) x (day, n, gone)
    where u.meaning in ('form_started', 'form_completed', 'step_started', 'step_completed') and x.day <= coalesce(u.after_on, %(last)s)
), adopted as (
    select u.supplier_id, (u.first_at at time zone 'UTC')::date as day, 1::bigint << e.feature as feature, s.after_on
    from supplier s
    join success_eventuse u on u.supplier_id = s.supplier_id and u.supplier_id between %(low)s and %(high)s
    join success_eventname e on e.id = u.event_id and e.meaning = 'feature'
), served as (                             -- 1: out of service; -1: back
    select c.supplier_id, (c.at at time zone 'UTC')::date as day, s.after_on,
           (not success_in_service(c.status, c.internal))::integer - coalesce(lag((not success_in_service(c.status, c.internal))::integer) over w, 0) as ended
    from supplier s join success_statuschange c on c.supplier_id = s.supplier_id and c.supplier_id between %(low)s and %(high)s window w as (partition by c.supplier_id order by c.at, c.id)
), client_state as (                       -- from a client's row until its next: the last activity known by then, and the first day on which that is too old
    select c.supplier_id, c.client_id, c.day, c.archived, s.after_on,
           ((max(c.last_at) over w + interval '720 hours 1 microsecond') at time zone 'UTC')::date as fades_on
    from supplier s
    join success_client k on k.supplier_id = s.supplier_id and k.supplier_id between %(low)s and %(high)s
    cross join lateral (                   -- of older rows the last says all: their activity had faded by the base
        select * from success_clientday d
        where d.supplier_id = k.supplier_id and d.client_id = k.id and d.day <= coalesce(s.after_on, %(last)s)
          and d.day >= coalesce((select max(day) from success_clientday o
                                 where o.supplier_id = k.supplier_id and o.client_id = k.id and o.day <= %(base)s::date - 32), '-infinity')
    ) c
    window w as (partition by c.supplier_id, c.client_id order by c.day)
), client_span as materialized (
    select *, lag(archived) over w as was_archived, lag(fades_on) over w as faded_on, lead(day) over w as next_day, lead(archived) over w as then_archived
    from client_state window w as (partition by supplier_id, client_id order by day)
), counted as (                            -- what fades does so by time; all else is activity
    select supplier_id, day, 0 as active, case when archived then -1 else 1 end as total, 0 as faded, after_on
    from client_span where archived <> coalesce(was_archived, true)
    union all
    select supplier_id, day, 1, 0, 0, after_on
    from client_span where not archived and fades_on > day and (coalesce(was_archived, true) or coalesce(faded_on <= day, true))
    union all
    select supplier_id, case when fades_on <= next_day or next_day is null then fades_on else next_day end, -1, 0, case when fades_on <= next_day or next_day is null then 1 else 0 end, after_on
    from client_span where not archived and fades_on > day and (next_day is null or fades_on <= next_day or then_archived)
), change as (
    select supplier_id, case when day > %(last)s then after_on when day > %(base)s then greatest(day, %(first)s) else %(base)s end as day,
           max(last_at) as last_sign_in_at, bit_or(feature) as features, sum(ended)::integer as ended, sum(active)::integer as active, sum(total)::integer as total,
           sum(n) filter (where meaning = 'form_started')::integer as forms_started, sum(n) filter (where meaning = 'form_completed')::integer as forms_completed,
           sum(n) filter (where meaning = 'step_started')::integer as steps_started, sum(n) filter (where meaning = 'step_completed')::integer as steps_completed,
           sum(gone) filter (where meaning = 'form_started')::integer as forms_started_gone, sum(gone) filter (where meaning = 'form_completed')::integer as forms_completed_gone,
           sum(gone) filter (where meaning = 'step_started')::integer as steps_started_gone, sum(gone) filter (where meaning = 'step_completed')::integer as steps_completed_gone,
           sum(faded)::integer as faded
    from (
        select supplier_id, day, after_on, last_at, null::bigint as feature, null::integer as ended, null::integer as active, null::integer as total, null::integer as faded,
               null as meaning, null::integer as n, null::integer as gone from signed_in
        union all select supplier_id, day, after_on, null, feature, null, null, null, null, null, null, null from adopted
        union all select supplier_id, day, after_on, null, null, ended, null, null, null, null, null, null from served
        union all select supplier_id, day, after_on, null, null, null, active, total, faded, null, null, null from counted
        union all select supplier_id, day, after_on, null, null, null, null, null, null, meaning, n, gone from submitted
    ) x where day <= coalesce(after_on, %(last)s) group by 1, 2
),

-- The state as computed now for each day of the grid, and as it stands: kept where the day was closed before.

running as (
    select g.supplier_id, g.day, g.kept, s.known_since, s.before_on, s.first_activity_at as first_ever_at,
           ((g.day + 1)::timestamp at time zone 'UTC') - interval '1 microsecond' as at,
           h.day is not null as has_row, max(h.day) over w as row_on,
           coalesce(sum(c.ended) over w, 0) = 0 as in_service, max(c.last_sign_in_at) over w as last_sign_in_at, coalesce(bit_or(c.features) over w, 0) as features,
           coalesce(sum(c.active) over w, 0) as clients_active, coalesce(sum(c.total) over w, 0) as clients_total,
           coalesce(sum(c.forms_started) over w, 0) as forms_started, coalesce(sum(c.forms_completed) over w, 0) as forms_completed,
           coalesce(sum(c.steps_started) over w, 0) as steps_started, coalesce(sum(c.steps_completed) over w, 0) as steps_completed,
           coalesce(c.faded, 0) as faded, coalesce(c.forms_started_gone, 0) as forms_started_gone, coalesce(c.forms_completed_gone, 0) as forms_completed_gone,
           coalesce(c.steps_started_gone, 0) as steps_started_gone, coalesce(c.steps_completed_gone, 0) as steps_completed_gone
    from grid g
    join supplier s on s.supplier_id = g.supplier_id
    left join change c on c.supplier_id = g.supplier_id and c.day = g.day
    left join health_snapshot h on h.supplier_id = g.supplier_id and h.day = g.day and h.day >= %(first)s and h.supplier_id between %(low)s and %(high)s
    window w as (partition by g.supplier_id order by g.day)
), fact as (
    select *, case when first_ever_at <= at then first_ever_at end as first_activity_at from running offset 0
), weighed as (
    select f.*, case when (f.known_since at time zone 'UTC')::date <= f.day then {status} end as computed_status, {points} as computed_points from fact f offset 0
), scored as (
    select *, case computed_status when 'ok' then {score} end as computed_score from weighed offset 0
), computed as (
    select *, case computed_status when 'ok' then {level} end as computed_level from scored
), effective as (
    select c.supplier_id, c.day, c.at, c.kept, c.has_row, c.faded, c.forms_started_gone, c.forms_completed_gone, c.steps_started_gone, c.steps_completed_gone,
           %(scorecard)s::text as scorecard, %(version)s::integer as version, c.computed_status as status, c.computed_score as score, c.computed_level as level,
           case c.computed_status when 'ok' then c.computed_points end as points,
           c.last_sign_in_at, c.features, c.clients_active, c.clients_total, c.forms_started, c.forms_completed, c.steps_started, c.steps_completed, false as differs
    from computed c where not c.kept
    union all
    select c.supplier_id, c.day, c.at, c.kept, c.has_row, c.faded, c.forms_started_gone, c.forms_completed_gone, c.steps_started_gone, c.steps_completed_gone,
           h.scorecard, h.version, h.status, h.score, h.level, h.points,
           h.last_sign_in_at, h.features, h.clients_active, h.clients_total, h.forms_started, h.forms_completed, h.steps_started, h.steps_completed,
           c.day between %(first)s and %(last)s
           and (c.computed_status, c.computed_score, c.last_sign_in_at, c.features, c.clients_active, c.clients_total, c.forms_started, c.forms_completed, c.steps_started, c.steps_completed)
               is distinct from (h.status, h.score, h.last_sign_in_at, h.features, h.clients_active, h.clients_total, h.forms_started, h.forms_completed, h.steps_started, h.steps_completed)
    from computed c
    left join lateral (select * from health_snapshot where supplier_id = c.supplier_id and day = coalesce(c.row_on, c.before_on) offset 0) h on true
    where c.kept
), step as (                               -- each day beside the one before
    select *, lag(kept) over w as p_kept, lag(scorecard) over w as p_scorecard, lag(version) over w as p_version,
           lag(status) over w as p_status, {standing} as standing, lag({standing}, 1, 'ended') over w as p_standing, lag(score) over w as p_score, lag(points) over w as p_points,
           lag(last_sign_in_at) over w as p_last_sign_in_at, lag(features) over w as p_features,
           lag(clients_active) over w as p_clients_active, lag(clients_total) over w as p_clients_total,
           lag(forms_started) over w as p_forms_started, lag(forms_completed) over w as p_forms_completed,
           lag(steps_started) over w as p_steps_started, lag(steps_completed) over w as p_steps_completed
    from effective h window w as (partition by supplier_id order by day)
), due as materialized (
    select * from (
        select *, day > %(base)s and not (kept and p_kept) as open,
               (status, score, last_sign_in_at, features, clients_active, clients_total, forms_started, forms_completed, steps_started, steps_completed)
               is distinct from (p_status, p_score, p_last_sign_in_at, p_features, p_clients_active, p_clients_total, p_forms_started, p_forms_completed, p_steps_started, p_steps_completed) as changed
        from step offset 0
    ) x where differs or open and (status is not null and changed or has_row)
), aged as (                               -- the state before, brought to this day's end by time alone
    select d.*, a.points as aged_points from due d cross join lateral (
        select case when d.status = 'ok' and d.p_status = 'ok' and (d.scorecard, d.version) = (d.p_scorecard, d.p_version) then {points} end as points from (
            select d.at, d.p_last_sign_in_at as last_sign_in_at, d.p_features as features, greatest(d.p_clients_active - d.faded, 0) as clients_active, d.p_clients_total as clients_total,
                   greatest(d.p_forms_started - d.forms_started_gone, 0) as forms_started, greatest(d.p_forms_completed - d.forms_completed_gone, 0) as forms_completed,
                   greatest(d.p_steps_started - d.steps_started_gone, 0) as steps_started, greatest(d.p_steps_completed - d.steps_completed_gone, 0) as steps_completed) f
        offset 0
    ) a where d.open and d.status is not null and d.changed
), written as (
    insert into health_snapshot as h (supplier_id, day, scorecard, version, status, score, level, points,
        last_sign_in_at, features, clients_active, clients_total, forms_started, forms_completed, steps_started, steps_completed, by_time, by_activity, stood_before)
    select supplier_id, day, scorecard, version, status, score, level, points,
        last_sign_in_at, features, clients_active, clients_total, forms_started, forms_completed, steps_started, steps_completed,
        case when aged_points is not null then {by_time} end, case when aged_points is not null then {by_activity} end,
        case when standing <> p_standing then p_standing end
    from aged order by supplier_id, day
    on conflict (supplier_id, day) do update set ({columns}) = row({excluded}) where ({stored}) is distinct from ({excluded})
    returning 1
), removed as (
    delete from health_snapshot h using due d
    where h.supplier_id between %(low)s and %(high)s and h.supplier_id = d.supplier_id and h.day = d.day and d.open and d.has_row and not (d.status is not null and d.changed)
    returning 1
)
select (select count(*) from supplier), (select count(*) from written), (select count(*) from removed), (select count(*) from due where differs)
