-- The time zone named, or the other where there is none of that name: names come from outside, and one bad name may not spoil a batch.
create or replace function success_zone(named text, otherwise text) returns text language plpgsql stable as $$
begin
    if coalesce(named, '') = '' then
        return otherwise;
    end if;
    perform current_timestamp at time zone named;
    return named;
exception when invalid_parameter_value then
    return otherwise;
end $$;
