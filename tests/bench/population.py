"""Suppliers, their clients and what they did, made by SQL over the set; up to 200,000 the triggers fold it as they fold real traffic."""

from datetime import datetime

from django.db import transaction

from success import db
from tests.bench import raw

CLIENTS = 4  # of a supplier
EVENTS = 12  # of a supplier, over 60 days
CHUNK = 50_000
MOST_FOLDED = 200_000  # suppliers; the facts of more are counted in one pass, or filling takes longer than measuring
SOURCE = "bench"

SUPPLIERS = """
insert into success_supplier (id, external_id, source_id, status, internal, plan, vertical, currency, custom, created_at, first_seen_at, changed_at)
select g, 'supplier-' || g, %(source)s, case when g %% 25 = 0 then 'cancelled' else 'active' end, false, 'pro', 'photographer', 'EUR', '{}',
       %(at)s - random() * interval '400 days', %(at)s, %(at)s
from generate_series(%(first)s::bigint, %(last)s) g order by g
"""
ADD_CLIENTS = """
insert into success_client (supplier_id, external_id, first_known_at, last_activity_at, changed_at)
select s, 'client-' || c, %(at)s - interval '61 days', %(at)s - random() * interval '60 days', %(at)s
from generate_series(%(first)s::bigint, %(last)s) s, generate_series(1, %(clients)s) c order by 1, 2
"""
# What is done most comes up most: a name of the list at random. One supplier in ten only signed in.
NAMES = ["Signed In"] * 3 + ["Page Viewed"] * 6 + ["Form Started"] * 3 + ["Form Completed"] * 2 + ["Journey Step Started"] * 2
NAMES += ["Journey Step Completed", "Form Created", "Clients Imported", "Journey Created"]
ADD_ACTIVITY = """
insert into success_activity (message, received_at, occurred_at, supplier_id, source_id, event_id, clamped)
select gen_random_uuid(), at, at, s, %(source)s, (%(events)s::integer[])[case when s %% 10 = 0 then 1 else 1 + floor(random() * %(kinds)s)::integer end], false
from (select s, %(at)s - random() * interval '60 days' as at from generate_series(%(first)s::bigint, %(last)s) s, generate_series(1, %(each)s)) x
"""
FACTS = f"""
insert into success_facts (supplier_id, known_since, in_service, last_sign_in_at, first_activity_at, last_activity_at, features, clients_total, clients_active,
    clients_since, oldest_active_at, forms_started, forms_completed, steps_started, steps_completed, window_from)
select supplier_id, known_since, in_service, last_sign_in_at, first_activity_at, last_activity_at, features, clients_total, clients_active,
       %(since)s, oldest_active_at, forms_started, forms_completed, steps_started, steps_completed, %(from)s::date
from {raw.RAW} f order by 1
"""
DAYS = """
insert into success_dailyuse (supplier_id, day, event_id, n, first_at, last_at)
select supplier_id, (occurred_at at time zone 'UTC')::date, event_id, count(*), min(occurred_at), max(occurred_at)
from success_activity group by 1, 2, 3 order by 1, 2, 3
"""


def fill(suppliers: int, *, at: datetime) -> None:
    """So many suppliers stand in an empty database, their facts made by the triggers."""
    db.rows("select success_make_partitions(%s::timestamptz - interval '61 days', %s)", [at, at])
    source = db.rows("insert into success_source (name, is_demo, created_at) values (%s, false, %s) returning id", [SOURCE, at])[0][0]
    events = event_ids()
    params = {"at": at, "source": source, "clients": CLIENTS, "each": EVENTS, "events": [events[name] for name in NAMES], "kinds": len(NAMES)}
    db.rows("select setseed(0.42)")
    folded = suppliers if suppliers <= MOST_FOLDED else 0
    if not folded:
        add_unfolded(params | {"first": 1, "last": suppliers}, at=at)
    for first in range(1, folded + 1, CHUNK):
        add(params | {"first": first, "last": min(first + CHUNK - 1, folded)})
    db.rows("select setval(pg_get_serial_sequence('success_supplier', 'id'), %s)", [suppliers])


def add(params: dict[str, object]) -> None:
    with transaction.atomic(), db.history():
        db.rows("select set_config('work_mem', '128MB', true)")
        for statement in (SUPPLIERS, ADD_CLIENTS, ADD_ACTIVITY):
            db.execute(statement, params)


def add_unfolded(params: dict[str, object], *, at: datetime) -> None:
    """The same without triggers: roll-ups by day and facts are counted afterwards, what scoring does not read is left out."""
    with transaction.atomic():
        db.rows("select set_config('work_mem', '256MB', true), set_config('session_replication_role', 'replica', true)")
        for statement in (SUPPLIERS, ADD_CLIENTS, ADD_ACTIVITY):
            db.execute(statement, params)
    db.execute("vacuum (analyze) success_supplier, success_client, success_activity")
    with transaction.atomic():
        db.rows("select set_config('work_mem', '256MB', true), set_config('session_replication_role', 'replica', true)")
        db.execute(DAYS)
        db.execute(FACTS, raw.params(at))


def event_ids() -> dict[str, int]:
    return dict(db.rows("select name, id from success_eventname"))


def source_id() -> int:
    return int(db.rows("select id from success_source where name = %s", [SOURCE])[0][0])
