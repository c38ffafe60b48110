"""P9 and P11: reading one supplier's score, over HTTP and from the database."""

import random
import time
from collections.abc import Callable

import requests

from health import current
from success import db, keys
from success.models import Source
from tests.bench import population
from tests.bench.databases import Databases
from tests.bench.figures import Figure, Section, section
from tests.bench.timing import cpu_of_session, interleaved, quantile
from tests.server import running

REQUESTS = 500
READS = 2_000
STORED = """select a.status, a.score, a.level, a.points from success_supplier s join health_assessment a on a.supplier_id = s.id where s.external_id = %s"""


def some(suppliers: int, number: int) -> list[str]:
    """Names of suppliers, anywhere among all."""
    return [f"supplier-{random.randint(1, suppliers)}" for _ in range(number)]


# ---------------------------------------------------------------- P9


def p9(sizes: list[int], rounds: int, found: Databases) -> Section:
    return section(
        "P9 GET a score",
        f"CPU of the web process for {REQUESTS} requests on one connection: the health route (key checked, limit counted, query validated, score made fresh, "
        "with its reasons) beside a Django view in the same process and behind the same middleware that reads the stored score with a raw cursor and "
        "`json.dumps`.",
        [over_http(size, rounds, found) for size in sizes],
    )


def over_http(size: int, rounds: int, found: Databases) -> Figure:
    found.use(size)
    key = keys.create(source=Source.objects.get(name=population.SOURCE), name="bench", scopes=["read"])[1]
    with running(DJANGO_SETTINGS_MODULE="tests.bench.settings") as (base, process), requests.Session() as http:
        http.headers["Authorization"] = f"Bearer {key}"

        def arm(path: str) -> Callable[[], float]:
            def measure() -> float:
                before = cpu_of_session(process.pid)
                for name in some(size, REQUESTS):
                    http.get(f"{base}{path.format(name)}").raise_for_status()
                return cpu_of_session(process.pid) - before

            return measure

        ours, raw = interleaved(rounds, arm("/api/v1/suppliers/{}/health/"), arm("/compared/score/{}/"))
    return Figure(f"{size:,} suppliers", ours, "raw cursor and JSON", raw, REQUESTS, "request", 2)


# ---------------------------------------------------------------- P11


def p11(sizes: list[int], rounds: int, found: Databases) -> Section:
    small, large = min(sizes), max(sizes)
    figures = [fresh(size, rounds, found) for size in sizes]
    if small < large:
        figures.append(slowest(small, large, rounds, found))
    return section(
        "P11 One fresh score",
        f"`health.current.health_of` of suppliers at random, {READS:,} a round, beside reading the stored row by a prepared "
        "statement. (Goal besides: p50 under 1 ms.)",
        figures,
    )


def fresh(size: int, rounds: int, found: Databases) -> Figure:
    found.use(size)
    warm(size, found)
    half = [lambda read=read: quantile(times(read, size), 0.5) for read in (fresh_score(found), stored_score)]
    ours, stored = interleaved(rounds, *half)
    return Figure(f"p50, {size:,} suppliers" + (" (**over 1 ms**)" if ours > 1e-3 else ""), ours, "the stored row", stored, goal=4)


def slowest(small: int, large: int, rounds: int, found: Databases) -> Figure:
    def arm(size: int) -> Callable[[], float]:
        def measure() -> float:
            found.use(size)
            times(fresh_score(found), size, 200)  # a new connection
            return quantile(times(fresh_score(found), size), 0.99)

        return measure

    ours, beside = interleaved(rounds, arm(large), arm(small))
    return Figure(f"p99, {large:,} suppliers", ours, f"p99, {small:,} suppliers", beside, goal=2)


def warm(size: int, found: Databases) -> None:
    """Plans and pages are where they are after a while."""
    for read in (fresh_score(found), stored_score):
        times(read, size)


def fresh_score(found: Databases) -> Callable[[str], object]:
    return lambda name: current.health_of(name, days=30, at=found.at)


def stored_score(name: str) -> object:
    return db.prepared(STORED, [name])


def times(read: Callable[[str], object], size: int, number: int = READS) -> list[float]:
    taken = []
    for name in some(size, number):
        start = time.perf_counter()
        read(name)
        taken.append(time.perf_counter() - start)
    return taken
