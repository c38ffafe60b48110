-- The dispatcher announces what was reached at once: one bell for a statement, heard when its transaction has committed.
create function milestones_ring() returns trigger language plpgsql as $$
begin
    if exists (select from reached where announced_at is null) then
        notify milestones_reached;
    end if;
    return null;
end $$;

create trigger milestones_ring after insert on milestones_achievement
    referencing new table as reached for each statement execute function milestones_ring();
