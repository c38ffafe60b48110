-- A line without an id is known by what stands in it: of lines that are alike, the n-th is message n, however often the file is read.
with nameless as (
    select line, sha256(convert_to(row({user_id}, {group_id}, {event}, {timestamp}, {extra})::text, 'UTF8')) as content
    from import_line join (select line as known from import_row where digest is null and occurred_at is not null) r on known = line
), numbered as (
    select line, n.content, coalesce(s.n, 0) + row_number() over (partition by n.content order by line) as n from nameless n left join import_seen s on s.content = n.content
), counted as (
    insert into import_seen as s (content, n) select content, max(n) from numbered group by content on conflict (content) do update set n = excluded.n
)
update import_row r set digest = {digest} from (select line, 'line ' || encode(content, 'hex') || ' ' || n as message_id from numbered) x where r.line = x.line
