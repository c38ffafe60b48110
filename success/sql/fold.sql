-- Folds activity into the roll-ups, the facts and the clients, in the transaction that wrote it.
-- What a retry cures (deadlock, lock or statement timeout) goes up; what is wrong with the data stays as a dead letter, and the activity is kept.
-- The body stands in two functions, because a transition table is visible only to the trigger itself.

create or replace function success_activity_fold() returns trigger language plpgsql as $$
declare
    quiet constant boolean := current_setting('success.history', true) is not distinct from 'on';
    at_table text;
    at_constraint text;
begin
    begin
{body}
    exception when others then
        if sqlstate like '40%' or sqlstate in ('55P03', '57014') then raise; end if;
        get stacked diagnostics at_table = table_name, at_constraint = constraint_name;
        -- As success.logs.reason_of: what a message quotes may be hers.
        insert into success_deadletter (received_at, messages, sqlstate, error, history, attempts)
        select received_at, array_agg(message order by message), sqlstate,
               concat_ws(' ', regexp_replace(sqlerrm, '("|(?<!\w)'').*', '"[value]"'), nullif(at_table, ''), nullif(at_constraint, '')), quiet, 0
        from new_rows group by received_at;
    end;
    return null;
end $$;

-- Folds again what a dead letter holds, as history where it was; raises what is wrong with it.
create or replace function success_fold_again(letter bigint) returns void language plpgsql as $$
declare
    quiet boolean;
begin
    select history into strict quiet from success_deadletter where id = letter and resolved_at is null for update;
    perform set_config('success.history', case when quiet then 'on' else '' end, true); -- the trigger of the clients asks it
    create temporary table new_rows on commit drop as
        select a.* from success_deadletter l join success_activity a on a.received_at = l.received_at and a.message = any (l.messages) where l.id = letter;
{body}
    drop table new_rows;
    perform set_config('success.history', '', true);
end $$;

create or replace trigger activity_fold after insert on success_activity referencing new table as new_rows for each statement execute function success_activity_fold();
