-- The staged lines as rows. A row whose shape is not surely right has no instant: Python judges it by the rules of ingest.
create temporary table import_row on commit drop as
select line, supplier, actor, event, properties,
       case when message_id <> '' then {digest} end as digest,
       case when octet_length(supplier) <= 128 and octet_length(person) <= 128 and octet_length(event) <= 200 and octet_length(coalesce(message_id, '')) <= 255 and supplier <> 'me'
                 and {is_time}
            then instant::timestamptz end as occurred_at
from (
    select line, nullif({message_id}, '') as message_id, coalesce(nullif({group_id}, ''), {user_id}) as supplier, nullif({user_id}, '') as person,
           case when {group_id} <> '' then {user_id} end as actor, nullif({event}, '') as event, {timestamp} as instant, {properties}::jsonb as properties
    from import_line
) x
