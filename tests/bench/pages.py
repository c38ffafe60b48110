"""The console's pages: how long each takes to make, and how many queries."""

import time
from collections import deque
from collections.abc import Callable
from datetime import timedelta

from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from success import clock, db
from success.models import CustomField
from tests.bench.databases import Databases
from tests.bench.figures import Section, duration
from tests.bench.timing import interleaved

GOAL = 0.3  # seconds
BOOK = 600  # suppliers of one success manager
PAGES = {
    "Today, my own": "/admin/?whose=mine",
    "Today, everyone's": "/admin/?whose=all",
    "one supplier": "/admin/suppliers/{}/",
    "suppliers": "/admin/success/supplier/",
    "suppliers, critical": "/admin/success/supplier/?level=critical",
    "suppliers, new": "/admin/success/supplier/?stage=new",
    "suppliers, found": "/admin/success/supplier/?q=supplier-77",
    "suppliers, trial ending": "/admin/success/supplier/?trial=7",
    "suppliers, of a custom field": "/admin/success/supplier/?custom.region=north",
    "suppliers, by score": "/admin/success/supplier/?o=-2",
    "export of one's own": "/admin/suppliers/export.csv?owner=mine",
    "portfolio": "/admin/portfolio/",
    "portfolio, half a year": "/admin/portfolio/?weeks=26&days=91",
    "its shares by owner": "/admin/portfolio/?fragment",
    "its shares by month": "/admin/portfolio/?by=signed_up&fragment",
    "suppliers, moved": "/admin/success/supplier/?moved=fell@{day}",
    "milestones": "/admin/milestones/",
    "how long they take": "/admin/milestones/?fragment",
    "suppliers, stalled": "/admin/success/supplier/?stalled=client_list",
    "rewards": "/admin/rewards/",
    "Arriving": "/admin/arriving/",
    "Operations": "/admin/operations/",
    "event catalogue": "/admin/success/eventname/",
    "search": "/admin/search/?s=supplier-7&extended=1",
}
# Half a year in which each supplier changed her level four times, as closed days leave it.
HISTORY = """
with change as (
    select s.id, %(today)s::date - 1 - 45 * k - (s.id %% 45)::integer as day, k, array['critical', 'at_risk', 'healthy'] as levels
    from success_supplier s, generate_series(0, 3) k
)
insert into health_snapshot (supplier_id, day, scorecard, version, status, score, level, features, clients_active, clients_total,
    forms_started, forms_completed, steps_started, steps_completed, stood_before)
select id, day, 'ws142', 1, 'ok', 50, levels[1 + (id + k) %% 3], 0, 0, 0, 0, 0, 0, 0, case when k = 3 then 'ended' else levels[1 + (id + k + 1) %% 3] end
from change order by day, id
"""


def pages(sizes: list[int], rounds: int, found: Databases) -> Section:
    small, large = min(sizes), max(sizes)
    return Section(
        "Pages of the console",
        f"Made by one process, without the network, for a success manager with {BOOK} suppliers of her own. Goal: {duration(GOAL)}, and 30 queries.",
        ("page", f"{large:,} suppliers", "queries", f"{small:,} suppliers", "goal"),
        [measured(name, path, small, large, rounds, found) for name, path in PAGES.items()],
    )


def measured(name: str, path: str, small: int, large: int, rounds: int, found: Databases) -> tuple[str, ...]:
    ours, beside = interleaved(rounds, opened(path, large, found), opened(path, small, found))
    found.use(large)
    client, url = manager(), address(path)
    client.get(url)
    cache.clear()
    with CaptureQueriesContext(connection) as queries:
        client.get(url)
    met = ours <= GOAL and len(queries) <= 30
    return name, duration(ours), str(len(queries)), duration(beside), "met" if met else "**over its goal**"


def opened(path: str, size: int, found: Databases) -> Callable[[], float]:
    def measure() -> float:
        found.use(size)
        client, url = manager(), address(path)
        client.get(url)
        cache.clear()  # what is remembered for a minute is part of a first look
        if url.endswith("fragment"):  # a part of a page that was just looked at
            client.get(url.removesuffix("fragment"))
        start = time.perf_counter()
        answer = client.get(url)
        assert answer.status_code == 200, (url, answer.status_code)
        if answer.streaming:
            deque(answer.streaming_content, maxlen=0)
        return time.perf_counter() - start

    return measure


def address(path: str) -> str:
    [(key,)] = db.rows("select id from success_supplier order by id limit 1 offset 500")
    return path.format(key, day=clock.now().date() - timedelta(days=28))


TOLD = """
update success_supplier set owner_id = case when id %% greatest((select count(*) from success_supplier) / %(book)s, 1) = 0 then %(owner)s::integer end,
    mrr = 10 + id %% 90, custom = jsonb_build_object('region', (array['north', 'east', 'south', 'west'])[1 + id %% 4], 'seats', id %% 50, 'company', 'No. ' || id),
    status = case when id %% 20 = 7 then 'trial' else status end, trial_ends_at = case when id %% 20 = 7 then %(at)s::timestamptz + interval '1 day' * (id %% 60) end
"""
# And the levels of now date from there: a seventh changed within the week, a third of them for the worse.
DATED = """
update health_assessment a set level_since = %(today)s::timestamp at time zone 'UTC' - interval '1 day' * (1 + supplier_id %% 45),
    stood = (array['critical', 'at_risk', 'healthy'])[1 + supplier_id %% 3],
    level_before = nullif((array['critical', 'at_risk', 'healthy'])[1 + (supplier_id + 1) %% 3], level)
"""
# Of each supplier a dozen days on which her score changed.
DAYS = """
insert into health_snapshot (supplier_id, day, status, score, level, scorecard, version, features, clients_active, clients_total, forms_started, forms_completed,
    steps_started, steps_completed)
select id, %(at)s::date - 7 * n, 'ok', (id * n) %% 100, 'healthy', 'ws142', 1, 0, 0, 0, 0, 0, 0, 0 from success_supplier, generate_series(1, 12) n
on conflict do nothing
"""


def manager() -> Client:
    """Signed in, with a book of her own; of all suppliers custom fields are told, and the scores of twelve weeks."""
    user, new = get_user_model().objects.get_or_create(username="bench", defaults={"is_staff": True, "is_superuser": True})
    if new:
        CustomField.objects.bulk_create(CustomField(name=name) for name in ("region", "seats", "company"))
        db.execute(TOLD, {"owner": user.pk, "book": BOOK, "at": clock.now()})
        db.execute(HISTORY, {"today": clock.now().date()})
        db.execute(DATED, {"today": clock.now().date()})
        db.execute(DAYS, {"at": clock.now()})
        db.execute("vacuum (analyze) success_supplier, health_assessment, health_snapshot")
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(user)
    return client
