-- A supplier's facts row is born with it, and follows what decides whether it is scored. Whoever the writer.

create or replace function success_in_service(status text, internal boolean) returns boolean language sql immutable as $$
    select not internal and status not in ('cancelled', 'paused')
$$;

create or replace function success_supplier_added() returns trigger language plpgsql as $$
begin
    insert into success_facts (supplier_id, known_since, in_service, clients_since, window_from, dirty_at, dirty_quiet)
    select id, coalesce(created_at, first_seen_at), success_in_service(status, internal),
           first_seen_at - interval '30 days', (first_seen_at at time zone 'UTC')::date - 29, changed_at,
           current_setting('success.history', true) is not distinct from 'on' or first_seen_at < changed_at - interval '24 hours'
    from new_rows order by id;
    insert into success_statuschange (supplier_id, at, status, internal)
    select id, case status when 'cancelled' then least(cancelled_at, changed_at) else changed_at end, status, internal
    from new_rows where not success_in_service(status, internal) order by id;
    return null;
end $$;

create or replace function success_supplier_changed() returns trigger language plpgsql as $$
begin
    perform 1 from success_facts
    where supplier_id in (
        select n.id from new_rows n join old_rows o on o.id = n.id
        where (n.status, n.internal, n.created_at, n.first_seen_at) is distinct from (o.status, o.internal, o.created_at, o.first_seen_at)
    ) order by supplier_id for update;
    update success_facts f
    set known_since = coalesce(n.created_at, n.first_seen_at),
        in_service = success_in_service(n.status, n.internal),
        dirty_quiet = (f.dirty_at is null or f.dirty_quiet) and current_setting('success.history', true) is not distinct from 'on',
        dirty_at = coalesce(f.dirty_at, n.changed_at)
    from new_rows n join old_rows o on o.id = n.id
    where f.supplier_id = n.id and (n.status, n.internal, n.created_at, n.first_seen_at) is distinct from (o.status, o.internal, o.created_at, o.first_seen_at);
    insert into success_statuschange (supplier_id, at, status, internal)
    select n.id, case n.status when 'cancelled' then greatest(least(n.cancelled_at, n.changed_at), -- not before the change that it follows
               (select max(c.at) from success_statuschange c where c.supplier_id = n.id)) else n.changed_at end, n.status, n.internal
    from new_rows n join old_rows o on o.id = n.id
    where (n.status, n.internal) is distinct from (o.status, o.internal) order by n.id;
    return null;
end $$;

create or replace trigger supplier_added after insert on success_supplier referencing new table as new_rows for each statement execute function success_supplier_added();
create or replace trigger supplier_changed after update on success_supplier referencing old table as old_rows new table as new_rows for each statement execute function success_supplier_changed();
