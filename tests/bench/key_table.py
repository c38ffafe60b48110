"""Size and cost of the message keys at 10 million, measured, and at 100 million, reckoned from it; beside what else could say that a message was seen."""

import math
import os
import uuid
from dataclasses import dataclass

from django.db import transaction

from success import db
from tests.bench.databases import Databases
from tests.bench.figures import Section
from tests.bench.timing import seconds

POINTS = (1_000_000, 3_000_000, 10_000_000)
TARGET = 100_000_000
BATCH = 1_000
BATCHES = 100


@dataclass(frozen=True, slots=True)
class Design:
    """A way to remember messages: its table, how a million of its rows are made, how a batch goes in."""

    name: str
    table: str
    create: tuple[str, ...]
    fill: str
    insert: str


def ours(name: str, table: str, *create: str) -> Design:
    return Design(
        name,
        table,
        create,
        f"insert into {table} select gen_random_uuid() as digest from generate_series(1, %s) order by 1",
        f"insert into {table} (digest) select x from unnest(%s::uuid[]) x order by x on conflict do nothing returning digest",
    )


PARTS = 16
SIZE = """select sum(pg_total_relation_size(part)) from (select %(table)s::regclass as part union all
    select inhrelid from pg_inherits where inhparent = %(table)s::regclass) x"""
DESIGNS = (
    ours("digest uuid (ours)", "success_messagekey"),
    Design(
        "source and message id as text",
        "bench_text_key",
        ("create table bench_text_key (source_id bigint, message_id text, primary key (source_id, message_id))",),
        "insert into bench_text_key select 1, gen_random_uuid()::text as id from generate_series(1, %s) order by 2",
        "insert into bench_text_key select 1, x::text from unnest(%s::uuid[]) x order by 2 on conflict do nothing returning message_id",
    ),
    ours(
        f"digest uuid, {PARTS} partitions by hash",
        "bench_parted_key",
        "create table bench_parted_key (digest uuid primary key) partition by hash (digest)",
        *(f"create table bench_parted_key_{part} partition of bench_parted_key for values with (modulus {PARTS}, remainder {part})" for part in range(PARTS)),
    ),
)


@dataclass(frozen=True, slots=True)
class Reading:
    """At so many keys: bytes of the table and its index, seconds and log bytes of a new key, seconds of one seen before."""

    keys: int
    size: int
    new: float
    log: float
    seen: float

    def cells(self, name: str, how: str) -> tuple[str, ...]:
        return (
            name, f"{self.keys / 1e6:,.0f} million", how, f"{self.size / 1e6:,.0f} MB ({self.size / self.keys:.0f} bytes a key)",
            f"{self.new * 1e6:.1f} us", f"{self.log:.0f} bytes", f"{self.seen * 1e6:.1f} us",
        )  # fmt: skip


def key_table(found: Databases, points: tuple[int, ...] = POINTS) -> Section:
    found.use(1)
    rows = []
    for design in DESIGNS:
        readings = measured(design, points)
        rows += [reading.cells(design.name, "measured") for reading in readings]
        rows.append(extrapolated(readings).cells(design.name, "extrapolated"))
    return Section(
        "Message keys",
        f"Random keys, {BATCHES} batches of {BATCH:,}, each its own transaction, into a table of that many: the fastest tenth. Log bytes are of the "
        "write-ahead log, shortly after a checkpoint, so with the first image of each page. At 100 million the size is that at the largest measured, in "
        "proportion; the costs follow the line through the smallest and the largest measured over the logarithm of the number of keys, which holds while the "
        "index stays in memory.",
        ("design", "keys", "how", "table and index", "a new key", "its log", "a key seen before"),
        rows,
    )


def measured(design: Design, points: tuple[int, ...]) -> list[Reading]:
    for statement in design.create:
        db.execute(statement)
    readings, held = [], 0
    for point in points:
        while held < point:
            db.execute(design.fill, [min(500_000, point - held)])
            held += min(500_000, point - held)
        db.execute(f"vacuum (analyze) {design.table}")
        readings.append(read(design, point))
        held += BATCH * BATCHES
    db.execute(f"drop table {design.table}" if design.create else f"truncate {design.table}")
    return readings


def read(design: Design, keys: int) -> Reading:
    size = int(db.rows(SIZE, {"table": design.table})[0][0])
    db.execute("checkpoint")
    batches = [[uuid.UUID(bytes=os.urandom(16)) for _ in range(BATCH)] for _ in range(BATCHES)]
    place = db.rows("select pg_current_wal_insert_lsn()")[0][0]
    new = fastest(design, batches)
    log = db.rows("select pg_current_wal_insert_lsn() - %s::pg_lsn", [place])[0][0]
    return Reading(keys, size, new, float(log) / BATCH / BATCHES, fastest(design, batches))


def fastest(design: Design, batches: list[list[uuid.UUID]]) -> float:
    """Seconds of one key, in the fastest tenth of the batches."""
    taken = sorted(seconds(lambda batch=batch: insert(design, batch)) for batch in batches)
    return taken[len(taken) // 10] / BATCH


@transaction.atomic
def insert(design: Design, batch: list[uuid.UUID]) -> None:
    db.prepared(design.insert, [batch])


def extrapolated(readings: list[Reading]) -> Reading:
    first, last = readings[0], readings[-1]
    steps = math.log(TARGET / last.keys) / math.log(last.keys / first.keys)

    def on(value: str) -> float:
        near, far = getattr(first, value), getattr(last, value)
        return float(far + max(0.0, far - near) * steps)

    return Reading(TARGET, round(last.size / last.keys * TARGET), on("new"), on("log"), on("seen"))
