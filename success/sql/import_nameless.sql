-- A line without an id is known by what stands in it: of lines that are alike, the n-th is message n, however often the file is read.
with nameless as (
    select r.line, sha256(convert_to(row({user_id}, {group_id}, {event}, {timestamp}, {extra})::text, 'UTF8')) as content
    from import_row r join import_line l on l.line = r.line where r.digest is null and r.occurred_at is not null
), numbered as (
    select line, n.content, coalesce(s.n, 0) + row_number() over (partition by n.content order by line) as n from nameless n left join import_seen s on s.content = n.content
), counted as (
    insert into import_seen as s (content, n) select content, max(n) from numbered group by content on conflict (content) do update set n = excluded.n
)
update import_row r set digest = {digest} from (select line, 'line ' || encode(content, 'hex') || ' ' || n as message_id from numbered) x where r.line = x.line
