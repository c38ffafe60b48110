        -- What an event means does not change until this has committed (success.db.WRITING). Writers hold it already, from before their first lock.
        perform pg_advisory_xact_lock_shared(20261123);
        -- When this was received, for whoever watches the counters: they carry no instant of their own.
        perform set_config('success.received_at', (select max(received_at) from new_rows)::text, true);

        -- Lock order of every writer: suppliers, message keys, day use, event use, facts, clients, client days; each by its key.
        insert into success_dailyuse as d (supplier_id, day, event_id, n, first_at, last_at)
        select supplier_id, (occurred_at at time zone 'UTC')::date, event_id, count(*), min(occurred_at), max(occurred_at)
        from new_rows group by 1, 2, 3 order by 1, 2, 3
        on conflict (supplier_id, day, event_id) do update
            set n = d.n + excluded.n, first_at = least(d.first_at, excluded.first_at), last_at = greatest(d.last_at, excluded.last_at);

        insert into success_eventuse as u (supplier_id, event_id, n, first_at, last_at)
        select supplier_id, event_id, count(*), min(occurred_at), max(occurred_at)
        from new_rows group by 1, 2 order by 1, 2
        on conflict (supplier_id, event_id) do update
            set n = u.n + excluded.n, first_at = least(u.first_at, excluded.first_at), last_at = greatest(u.last_at, excluded.last_at);

        -- With the facts of the suppliers whose traits this transaction changes next: locked one by one after these, they would be out of order.
        perform 1 from success_facts
        where supplier_id in (select supplier_id from new_rows union all select unnest(nullif(current_setting('success.changing', true), '')::bigint[]))
        order by supplier_id for update;
        update success_facts f
        set last_sign_in_at = greatest(f.last_sign_in_at, x.signed_in_at),
            features = f.features | coalesce(x.features, 0),
            first_activity_at = least(f.first_activity_at, x.first_at),
            last_activity_at = greatest(f.last_activity_at, x.last_at),
            forms_started = f.forms_started + x.forms_started,
            forms_completed = f.forms_completed + x.forms_completed,
            steps_started = f.steps_started + x.steps_started,
            steps_completed = f.steps_completed + x.steps_completed,
            dirty_quiet = (f.dirty_at is null or f.dirty_quiet) and (x.old or quiet),
            dirty_at = coalesce(f.dirty_at, x.received_at)
        from (
            select n.supplier_id,
                   max(n.occurred_at) filter (where e.meaning in ('sign_in', 'sign_in_reported')) as signed_in_at,
                   bit_or(1::bigint << e.feature) as features,
                   min(n.occurred_at) filter (where e.meaning <> 'sign_in_reported') as first_at,
                   max(n.occurred_at) filter (where e.meaning <> 'sign_in_reported') as last_at,
                   count(*) filter (where e.meaning = 'form_started' and w.inside) as forms_started,
                   count(*) filter (where e.meaning = 'form_completed' and w.inside) as forms_completed,
                   count(*) filter (where e.meaning = 'step_started' and w.inside) as steps_started,
                   count(*) filter (where e.meaning = 'step_completed' and w.inside) as steps_completed,
                   bool_and(n.occurred_at < n.received_at - interval '24 hours') as old,
                   min(n.received_at) as received_at
            from new_rows n
            join success_eventname e on e.id = n.event_id
            join success_facts g on g.supplier_id = n.supplier_id,
            lateral (select (n.occurred_at at time zone 'UTC')::date >= g.window_from as inside) w
            group by n.supplier_id
        ) x where x.supplier_id = f.supplier_id;

        -- Clients that were active: known now, their time moved forward, their days in history. (The client trigger counts them on the facts row, locked above.)
        if exists (select 1 from new_rows n join success_eventname e on e.id = n.event_id and e.meaning = 'client_active') then
            insert into success_client as c (supplier_id, external_id, first_known_at, last_activity_at, changed_at)
            select n.supplier_id, n.properties ->> 'client_id', min(n.occurred_at), max(n.occurred_at), max(n.received_at)
            from new_rows n join success_eventname e on e.id = n.event_id
            where e.meaning = 'client_active' and n.properties ->> 'client_id' <> ''
            group by 1, 2 order by 1, 2
            on conflict (supplier_id, external_id) do update
                set first_known_at = least(c.first_known_at, excluded.first_known_at),
                    last_activity_at = greatest(c.last_activity_at, excluded.last_activity_at),
                    archived_at = case when c.archived_at < excluded.last_activity_at then null else c.archived_at end,
                    changed_at = excluded.changed_at;
            insert into success_clientday as d (supplier_id, client_id, day, first_at, last_at, archived, known_at)
            select c.supplier_id, c.id, (n.occurred_at at time zone 'UTC')::date, min(n.occurred_at), max(n.occurred_at), false, max(n.received_at)
            from new_rows n
            join success_eventname e on e.id = n.event_id and e.meaning = 'client_active'
            join success_client c on c.supplier_id = n.supplier_id and c.external_id = n.properties ->> 'client_id'
            group by 1, 2, 3 order by 1, 2, 3
            on conflict (supplier_id, client_id, day) do update
                set first_at = least(d.first_at, excluded.first_at), last_at = greatest(d.last_at, excluded.last_at);
        end if;
        perform set_config('success.received_at', '', true);
