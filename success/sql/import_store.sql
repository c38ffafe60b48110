-- Keys in order, and activity for those that are new; the fold does the rest. The erased have no supplier. One sort serves keys, order and lines with the same id.
with item as materialized (
    select distinct on (r.digest) r.digest, s.id as supplier_id, e.id as event_id, r.occurred_at, r.occurred_at > %(ahead)s as clamped,
           case when r.actor <> all(%(gone)s::text[]) then r.actor end as actor, r.properties
    from import_row r
    join unnest(%(suppliers)s::text[], %(supplier_ids)s::bigint[]) as s (name, id) on s.name = r.supplier
    join unnest(%(events)s::text[], %(event_ids)s::integer[]) as e (name, id) on e.name = r.event
    where r.occurred_at is not null order by r.digest, r.line
), fresh as (
    insert into success_messagekey (digest) select digest from item order by digest {on_conflict} returning digest as k
), stored as (
    insert into success_activity (message, received_at, occurred_at, supplier_id, source_id, event_id, clamped, actor, properties)
    select digest, %(at)s, case when clamped then %(at)s else occurred_at end, supplier_id, %(source)s, event_id, clamped, actor, properties
    from item {join_fresh}
)
select count(*) from fresh
