"""The console's pages: how long each takes to make, and how many queries."""

import time
from collections.abc import Callable

from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from success import db
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
    "Arriving": "/admin/arriving/",
    "Operations": "/admin/operations/",
    "event catalogue": "/admin/success/eventname/",
    "search": "/admin/search/?s=supplier-7&extended=1",
}


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
    with CaptureQueriesContext(connection) as queries:
        client.get(url)
    met = ours <= GOAL and len(queries) <= 30
    return name, duration(ours), str(len(queries)), duration(beside), "met" if met else "**over its goal**"


def opened(path: str, size: int, found: Databases) -> Callable[[], float]:
    def measure() -> float:
        found.use(size)
        client, url = manager(), address(path)
        client.get(url)
        start = time.perf_counter()
        answer = client.get(url)
        taken = time.perf_counter() - start
        assert answer.status_code == 200, (url, answer.status_code)
        return taken

    return measure


def address(path: str) -> str:
    return path.format(db.rows("select id from success_supplier order by id limit 1 offset 500")[0][0])


def manager() -> Client:
    """Signed in, with a book of her own."""
    user, new = get_user_model().objects.get_or_create(username="bench", defaults={"is_staff": True, "is_superuser": True})
    if new:
        each = "greatest((select count(*) from success_supplier) / %s, 1)"
        db.execute(f"update success_supplier set owner_id = %s, mrr = 10 + id %% 90 where id %% {each} = 0", [user.pk, BOOK])
        db.execute("vacuum (analyze) success_supplier")
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(user)
    return client
