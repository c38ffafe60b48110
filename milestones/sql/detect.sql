-- Sees a counter reach a milestone's threshold, in the transaction that counted, whoever the writer: old < n <= new, so exact where a batch leaps over it.
-- Achievements of counters are written by writers of activity, who share the advisory lock 20261123 (success.db.WRITING), and by a recount, which holds it
-- alone. So a recount waits for no writer that waits for it.

-- When what it takes had happened: the n-th event, by day; the n-th client; the first use of the feature, or of the n-th feature.
create or replace function milestones_reached_at(of_supplier bigint, of_kind text, of_what integer, of_n bigint) returns timestamptz
language plpgsql stable as $$ -- not in SQL, whose plans are not kept
begin
    case of_kind
        when 'event' then return coalesce(
            (select case of_n when 1 then first_at else last_at end
             from (select day, first_at, last_at, sum(n) over (order by day) as so_far from success_dailyuse
                   where supplier_id = of_supplier and event_id = of_what) d
             where so_far >= of_n order by day limit 1),
            (select last_at from success_eventuse where supplier_id = of_supplier and event_id = of_what)); -- written by hand, without days
        when 'clients' then return (
            select first_known_at from success_client where supplier_id = of_supplier and archived_at is null order by first_known_at offset of_n - 1 limit 1);
        when 'feature' then return (
            select min(u.first_at) from success_eventuse u join success_eventname e on e.id = u.event_id where u.supplier_id = of_supplier and e.feature = of_what);
        else return (
            select first_at from (select min(u.first_at) as first_at from success_eventuse u join success_eventname e on e.id = u.event_id
                                  where u.supplier_id = of_supplier and e.feature is not null group by e.feature) f
            order by first_at offset of_n - 1 limit 1);
    end case;
end $$;

-- Writes down who crossed which threshold. Silent where it is history: said to be, or by activity that was older than 24 hours when it came.
create or replace function milestones_reach(suppliers bigint[], thresholds bigint[]) returns void language plpgsql as $$
declare
    quiet constant boolean := current_setting('success.history', true) is not distinct from 'on';
    told constant timestamptz := nullif(current_setting('success.received_at', true), '')::timestamptz;
begin
    insert into milestones_achievement (supplier_id, milestone_id, achieved_at, known_at, counter, n, message, silent, announced_at)
    select distinct on (x.supplier_id, t.milestone_id)
           x.supplier_id, t.milestone_id, r.at, coalesce(told, r.at), t.counter, t.n, a.message, q.quiet, case when q.quiet then coalesce(told, r.at) end
    from unnest(suppliers, thresholds) as x (supplier_id, threshold_id)
    join milestones_threshold t on t.id = x.threshold_id and t.whole
    join success_facts f on f.supplier_id = x.supplier_id
    left join lateral ( -- the latest of this batch that counts
        select b.message, b.occurred_at from success_activity b join success_eventname e on e.id = b.event_id
        where b.supplier_id = x.supplier_id and b.received_at = told
          and case t.kind when 'event' then b.event_id = t.of when 'clients' then e.meaning = 'client_active'
                          when 'feature' then e.feature = t.of else e.feature is not null end
        order by b.occurred_at desc limit 1) a on true
    cross join lateral (
        select coalesce(milestones_reached_at(x.supplier_id, t.kind, t.of, t.n), a.occurred_at, told, f.last_activity_at, f.known_since) as at) r
    cross join lateral (
        select quiet or not case when told is null then true
            when t.kind = 'clients' then exists (
                select from success_client c where c.supplier_id = x.supplier_id and c.archived_at is null and c.changed_at = told
                and coalesce(c.last_activity_at >= told - interval '24 hours', true))
            else coalesce(a.occurred_at >= told - interval '24 hours', true) end as quiet) q
    order by 1, 2, t.n desc
    on conflict do nothing;
    insert into milestones_touched (supplier_id, milestone_id)
    select distinct x.supplier_id, t.milestone_id from unnest(suppliers, thresholds) as x (supplier_id, threshold_id)
    join milestones_threshold t on t.id = x.threshold_id and not t.whole;
end $$;

-- What a retry cures goes up, as in the fold. Whatever else is wrong with a milestone is written down, and no activity is lost for it.
create or replace function milestones_failed(state text, error text) returns void language sql as $$
    insert into milestones_fault (at, sqlstate, error)
    values (nullif(current_setting('success.received_at', true), '')::timestamptz, state, regexp_replace(error, '("|(?<!\w)'').*', '"[value]"'))
$$;

create or replace function milestones_events_added() returns trigger language plpgsql as $$
declare
    suppliers bigint[];
    thresholds bigint[];
begin
    -- `offset 0`: the index is asked for each row, however many thresholds there are.
    select array_agg(x.supplier_id), array_agg(t.id) into suppliers, thresholds from new_rows x
    cross join lateral (select t.id from milestones_threshold t where t.kind = 'event' and t.of = x.event_id and t.n <= x.n offset 0) t;
    if suppliers is not null then
        perform pg_advisory_xact_lock_shared(20261123);
        perform milestones_reach(suppliers, thresholds);
    end if;
    return null;
exception when others then
    if sqlstate like '40%' or sqlstate in ('55P03', '57014') then raise; end if;
    perform milestones_failed(sqlstate, sqlerrm);
    return null;
end $$;

-- Old and new rows meet in one grouping, never in a join: its plan would be kept from a batch of one row for one of thousands.
create or replace function milestones_events_changed() returns trigger language plpgsql as $$
declare
    suppliers bigint[];
    thresholds bigint[];
begin
    select array_agg(x.supplier_id), array_agg(t.id) into suppliers, thresholds
    from (select supplier_id, event_id, min(n) as before, max(n) as now, sum(n * sign) as more
          from (select supplier_id, event_id, n, -1 as sign from old_rows union all select supplier_id, event_id, n, 1 from new_rows) b group by 1, 2) x
    cross join lateral (select t.id from milestones_threshold t where t.kind = 'event' and t.of = x.event_id and t.n > x.before and t.n <= x.now offset 0) t
    where x.more > 0;
    if suppliers is not null then
        perform pg_advisory_xact_lock_shared(20261123);
        perform milestones_reach(suppliers, thresholds);
    end if;
    return null;
exception when others then
    if sqlstate like '40%' or sqlstate in ('55P03', '57014') then raise; end if;
    perform milestones_failed(sqlstate, sqlerrm);
    return null;
end $$;

create or replace function milestones_facts_changed() returns trigger language plpgsql as $$
declare
    suppliers bigint[];
    thresholds bigint[];
begin
    select array_agg(x.supplier_id), array_agg(t.id) into suppliers, thresholds
    from (select supplier_id, max(clients) filter (where not latest) as clients_before, max(clients) filter (where latest) as clients,
                 bit_or(features) filter (where not latest) as before, bit_or(features) filter (where latest) as features
          from (select supplier_id, clients_total as clients, features, false as latest from old_rows
                union all select supplier_id, clients_total, features, true from new_rows) b
          group by 1 having max(clients) filter (where latest) > max(clients) filter (where not latest)
                         or bit_or(features) filter (where latest) <> bit_or(features) filter (where not latest)) x
    cross join lateral (
        select t.id from milestones_threshold t where t.kind = 'clients' and t.n > x.clients_before and t.n <= x.clients
        union all select t.id from milestones_threshold t where t.kind = 'feature' and (x.features & ~x.before) >> t.of & 1 = 1 and x.features <> x.before
        union all select t.id from milestones_threshold t
        where t.kind = 'features' and t.n > bit_count(x.before::bit(64)) and t.n <= bit_count(x.features::bit(64))) t;
    if suppliers is not null then
        perform pg_advisory_xact_lock_shared(20261123);
        perform milestones_reach(suppliers, thresholds);
    end if;
    return null;
exception when others then
    if sqlstate like '40%' or sqlstate in ('55P03', '57014') then raise; end if;
    perform milestones_failed(sqlstate, sqlerrm);
    return null;
end $$;

create or replace trigger milestones_events_added after insert on success_eventuse
    referencing new table as new_rows for each statement execute function milestones_events_added();
create or replace trigger milestones_events_changed after update on success_eventuse
    referencing old table as old_rows new table as new_rows for each statement execute function milestones_events_changed();
create or replace trigger milestones_facts_changed after update on success_facts
    referencing old table as old_rows new table as new_rows for each statement execute function milestones_facts_changed();
