-- Places never go back, also where what had one is deleted: a page resumes from the last it knows.
create sequence success_push_place as bigint;

-- One bell for a statement, heard when its transaction has committed.
create function success_push_ring() returns trigger language plpgsql as $$
begin
    notify success_push;
    return null;
end $$;

create trigger success_push_ring after insert on success_push for each statement execute function success_push_ring();
