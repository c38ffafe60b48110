"""P4 and P5: taking activity in, beside COPY, and over HTTP beside SQL and Django REST Framework."""

from collections.abc import Callable
from itertools import count
from typing import Any

import requests
from django.db import connection, transaction

from success import activity, db, keys
from success.models import Source
from tests.bench import population, traffic
from tests.bench.databases import Databases
from tests.bench.figures import Figure, Section, section
from tests.bench.timing import interleaved, seconds
from tests.server import running

BATCHES = 10  # of 1,000 in a round
SEEDS = count(1)
FLAT = "create table if not exists bench_flat (like success_activity)"
KEYS = "insert into success_messagekey select message from success_activity order by 1 on conflict do nothing"


class Sender:
    """Makes batches never sent before, and what is needed to send them."""

    def __init__(self, *, suppliers: int, found: Databases) -> None:
        self.suppliers, self.at = suppliers, found.at
        self.source = population.source_id()
        self.events = population.event_ids()

    def batches(self, number: int = BATCHES) -> list[list[traffic.Message]]:
        return traffic.batches(number, seed=next(SEEDS), suppliers=self.suppliers, at=self.at)

    def known(self) -> dict[str, Any]:
        return {"source": self.source, "at": self.at, "events": self.events}

    def timed(self, form: Callable[[list[traffic.Message]], Any], send: Callable[[Any], object], number: int = BATCHES) -> float:
        """Seconds to send batches, made untimed."""
        made = [form(batch) for batch in self.batches(number)]
        return seconds(lambda: [send(one) for one in made]) / number * BATCHES

    def stored(self) -> float:
        return self.timed(lambda batch: traffic.as_parameters(batch, **self.known()), store)

    def copied(self, table: str) -> float:
        return self.timed(lambda batch: traffic.as_copy(batch, **self.known()), lambda lines: copy(table, lines))


def store(parameters: list[object]) -> None:
    with db.patient():
        db.prepared(activity.STORE, parameters)


def copy(table: str, lines: bytes) -> None:
    with transaction.atomic(), connection.cursor() as cursor, cursor.copy(f"copy {table} from stdin") as into:
        into.write(lines)


def sender(size: int, found: Databases) -> Sender:
    """On a database where what was ever received has its message keys."""
    found.use(size)
    db.execute(FLAT)
    db.execute(KEYS)
    db.execute("vacuum (analyze) success_messagekey")
    return Sender(suppliers=size, found=found)


# ---------------------------------------------------------------- the measurements


def p4(sizes: list[int], rounds: int, found: Databases) -> Section:
    return section(
        "P4 Ingest in SQL",
        f"`success.activity.STORE` (message keys, fold into roll-ups, facts and clients), {BATCHES} batches of 1,000, each its own transaction; beside COPY of "
        "batches of the same kind, each its own transaction too: into a table without index or trigger, and into `success_activity` with its fold but without "
        "keys.",
        [figure for size in sizes for figure in in_sql(size, rounds, found)],
    )


def in_sql(size: int, rounds: int, found: Databases) -> list[Figure]:
    one = sender(size, found)
    ours, flat, folded = interleaved(rounds, one.stored, lambda: one.copied("bench_flat"), lambda: one.copied("success_activity"))
    assert db.rows("select count(*) from success_deadletter") == [(0,)], "what was measured was not folded"
    events = BATCHES * traffic.SIZE
    return [
        Figure(f"{size:,} suppliers", ours, "COPY, nothing else", flat, events, "event", 12),
        Figure(f"{size:,} suppliers", ours, "COPY with the same trigger", folded, events, "event", 1.5),
    ]


def p5(sizes: list[int], rounds: int, found: Databases) -> Section:
    return section(
        "P5 Ingest over HTTP",
        "POST /v1/batch with 1,000 messages to a web process of its own (granian, four threads), one sender; beside the statement of P4 alone, and beside a "
        "`ModelSerializer(many=True)` in the same web process that takes rows of `success_activity` ready-made, without authentication, limit, keys or "
        "look-up, and saves them with `bulk_create` or one by one (both fire the same fold).",
        [figure for size in sizes for figure in over_http(size, rounds, found)],
    )


def over_http(size: int, rounds: int, found: Databases) -> list[Figure]:
    one = sender(size, found)
    key = keys.create(source=Source.objects.get(name=population.SOURCE), name="bench", scopes=["ingest"])[1]
    with running(DJANGO_SETTINGS_MODULE="tests.bench.settings") as (base, _), requests.Session() as http:
        http.headers["Content-Type"] = "application/json"
        http.auth = (key, "")

        def ours(body: bytes) -> None:
            answer = http.post(f"{base}/v1/batch", data=body).json()
            assert answer["accepted"] == traffic.SIZE, answer

        def theirs(path: str) -> Callable[[bytes], None]:
            return lambda body: http.post(f"{base}/compared/{path}/", data=body).raise_for_status()

        def as_json(batch: list[traffic.Message]) -> bytes:
            return traffic.encode_rows(batch, **one.known())

        http_ours, in_database, bulk, single = interleaved(
            rounds,
            lambda: one.timed(traffic.as_segment, ours),
            one.stored,
            lambda: one.timed(as_json, theirs("many-in-bulk"), 3),
            lambda: one.timed(as_json, theirs("many"), 1),
        )
    events = BATCHES * traffic.SIZE
    return [
        Figure(f"{size:,} suppliers", http_ours, "the SQL of P4", in_database, events, "event", 3),
        Figure(f"{size:,} suppliers", http_ours, "DRF `many=True`, `bulk_create`", bulk, events, "event", 0.2),
        Figure(f"{size:,} suppliers", http_ours, "DRF `many=True`, `save()`", single, events, "event", 0.2),
    ]
