-- The log. Partitioned by received_at, which we set: no sender's clock can miss a partition. No foreign key (1.29x).
create table success_activity (
    message     uuid not null,             -- its row in success_messagekey
    received_at timestamptz not null,
    occurred_at timestamptz not null,
    supplier_id bigint not null,
    source_id   bigint not null,
    event_id    integer not null,
    clamped     boolean not null,          -- the sender's clock was ahead: occurred_at is ours
    actor       text,
    properties  jsonb
) partition by range (received_at);

create index success_activity_by_supplier on success_activity (supplier_id, occurred_at);
create index success_activity_by_receipt on success_activity using brin (received_at);

-- Writes into a partition would fold nothing: only the parent may be written. (The parent's own writes fire no trigger of a partition.)
create function success_refuse_partition_write() returns trigger language plpgsql as $$
begin
    raise exception 'write into success_activity, not into its partition %', tg_table_name;
end $$;

-- Makes the partitions from the month of since to the month of until, both included. Of the migrating role: the application may call it, not create tables.
create function success_make_partitions(since timestamptz, until timestamptz) returns integer language plpgsql security definer set search_path = public as $$
declare
    month timestamp := date_trunc('month', since at time zone 'UTC');
    name text;
    made integer := 0;
begin
    while month <= until at time zone 'UTC' loop
        name := 'success_activity_' || to_char(month, 'YYYY_MM');
        if to_regclass(name) is null then
            execute format('create table %I partition of success_activity for values from (%L) to (%L)', name, month || '+00', (month + interval '1 month') || '+00');
            execute format('create trigger refuse_direct_write before insert on %I for each statement execute function success_refuse_partition_write()', name);
            made := made + 1;
        end if;
        month := month + interval '1 month';
    end loop;
    return made;
end $$;
