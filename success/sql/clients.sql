-- Counters of clients on the facts row, and the client's day in history, whoever the writer.
-- Lock order: the facts rows before the counters are computed, so each is counted against its own boundary. (One boundary for all: 50 of 50 suppliers wrong.)

create or replace function success_clients_added() returns trigger language plpgsql as $$
declare
    told constant text := coalesce(current_setting('success.received_at', true), '');
begin
    -- As the fold says when it received what it counts; within the fold, it has.
    if told = '' then perform set_config('success.received_at', (select max(changed_at) from new_rows)::text, true); end if;
    perform 1 from success_facts where supplier_id in (select supplier_id from new_rows) order by supplier_id for update;
    update success_facts f
    set clients_total = f.clients_total + x.total,
        clients_active = f.clients_active + x.active,
        oldest_active_at = least(f.oldest_active_at, x.oldest_active_at),
        dirty_quiet = (f.dirty_at is null or f.dirty_quiet) and x.quiet,
        dirty_at = coalesce(f.dirty_at, x.changed_at)
    from (
        select n.supplier_id,
               count(*) filter (where n.archived_at is null) as total,
               count(*) filter (where n.archived_at is null and n.last_activity_at >= g.clients_since) as active,
               min(n.last_activity_at) filter (where n.archived_at is null and n.last_activity_at >= g.clients_since) as oldest_active_at,
               bool_and(coalesce(n.last_activity_at < n.changed_at - interval '24 hours', false) or current_setting('success.history', true) is not distinct from 'on') as quiet,
               min(n.changed_at) as changed_at
        from new_rows n join success_facts g on g.supplier_id = n.supplier_id group by 1
    ) x where x.supplier_id = f.supplier_id;
    perform set_config('success.received_at', told, true);
    insert into success_clientday as d (supplier_id, client_id, day, first_at, last_at, archived, known_at)
    select supplier_id, id, (coalesce(last_activity_at, first_known_at) at time zone 'UTC')::date, last_activity_at, last_activity_at, archived_at is not null, changed_at
    from new_rows order by supplier_id, id
    on conflict do nothing;
    return null;
end $$;

create or replace function success_clients_changed() returns trigger language plpgsql as $$
declare
    told constant text := coalesce(current_setting('success.received_at', true), '');
begin
    -- As the fold says when it received what it counts; within the fold, it has.
    if told = '' then perform set_config('success.received_at', (select max(changed_at) from new_rows)::text, true); end if;
    perform 1 from success_facts where supplier_id in (select supplier_id from new_rows) order by supplier_id for update;
    update success_facts f
    set clients_total = f.clients_total + x.total,
        clients_active = f.clients_active + x.active,
        oldest_active_at = least(f.oldest_active_at, x.oldest_active_at),
        dirty_quiet = (f.dirty_at is null or f.dirty_quiet) and x.quiet,
        dirty_at = coalesce(f.dirty_at, x.changed_at)
    from (
        select n.supplier_id,
               sum((n.archived_at is null)::int - (o.archived_at is null)::int) as total,
               sum((n.archived_at is null and coalesce(n.last_activity_at >= g.clients_since, false))::int - (o.archived_at is null and coalesce(o.last_activity_at >= g.clients_since, false))::int) as active,
               min(n.last_activity_at) filter (where n.archived_at is null and n.last_activity_at >= g.clients_since) as oldest_active_at,
               bool_and((n.archived_at is null) = (o.archived_at is null) and coalesce(n.last_activity_at < n.changed_at - interval '24 hours', false) or current_setting('success.history', true) is not distinct from 'on') as quiet,
               min(n.changed_at) as changed_at
        from new_rows n join old_rows o on o.id = n.id join success_facts g on g.supplier_id = n.supplier_id
        where (n.archived_at, n.last_activity_at) is distinct from (o.archived_at, o.last_activity_at) group by 1
    ) x where x.supplier_id = f.supplier_id;
    perform set_config('success.received_at', told, true);
    -- The day of the activity; of the archiving or return, where that is what changed.
    insert into success_clientday as d (supplier_id, client_id, day, first_at, last_at, archived, known_at)
    select n.supplier_id, n.id,
           ((case when (n.archived_at is null) <> (o.archived_at is null) then n.changed_at else n.last_activity_at end) at time zone 'UTC')::date,
           n.last_activity_at, n.last_activity_at,
           -- late activity from before an archiving does not archive its own day
           n.archived_at is not null and (o.archived_at is null or (n.archived_at at time zone 'UTC')::date <= (n.last_activity_at at time zone 'UTC')::date), n.changed_at
    from new_rows n join old_rows o on o.id = n.id
    where (n.archived_at is null) <> (o.archived_at is null) or n.last_activity_at is distinct from o.last_activity_at
    order by n.supplier_id, n.id
    on conflict (supplier_id, client_id, day) do update
        set first_at = least(d.first_at, excluded.first_at), last_at = greatest(d.last_at, excluded.last_at), archived = excluded.archived;
    return null;
end $$;

create or replace function success_clients_removed() returns trigger language plpgsql as $$
begin
    perform 1 from success_facts where supplier_id in (select supplier_id from old_rows) order by supplier_id for update;
    update success_facts f set clients_total = f.clients_total - x.total, clients_active = f.clients_active - x.active
    from (
        select o.supplier_id, count(*) filter (where o.archived_at is null) as total,
               count(*) filter (where o.archived_at is null and o.last_activity_at >= g.clients_since) as active
        from old_rows o join success_facts g on g.supplier_id = o.supplier_id group by 1
    ) x where x.supplier_id = f.supplier_id;
    return null;
end $$;

create or replace trigger clients_added after insert on success_client referencing new table as new_rows for each statement execute function success_clients_added();
create or replace trigger clients_changed after update on success_client referencing old table as old_rows new table as new_rows for each statement execute function success_clients_changed();
create or replace trigger clients_removed after delete on success_client referencing old table as old_rows for each statement execute function success_clients_removed();
