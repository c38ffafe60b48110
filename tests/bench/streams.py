"""The stream: how soon an open page hears of what was done, how many it reaches, what a page costs (P10), and what writers pay for it (P7)."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import psycopg

from milestones.models import Milestone, Threshold
from success import activity, db
from success.stream.connections import parameters
from success.stream.pushes import Said, push_all
from tests.bench import ingest, traffic
from tests.bench.crowd import Crowd, wait
from tests.bench.databases import Databases
from tests.bench.figures import Figure, Section, duration, section
from tests.bench.ingest import Sender, sender
from tests.bench.timing import interleaved, quantile
from tests.server import free_port
from tests.streams import dispatcher, end, server, start

OPEN, CROWD = 100, 2_000  # pages
EACH = 200  # events for each round asked for: a thousand with five
WRITERS, COMMITS = 32, 2_000
MOST_REACHED = 40
SETTINGS = {"DJANGO_SETTINGS_MODULE": "tests.bench.settings"}
NEXT = count(1)


def stream(sizes: list[int], rounds: int, found: Databases) -> Section:
    one = sender(sizes[0], found)
    with dispatcher(**SETTINGS), server(**SETTINGS) as (address, _):
        soon, fan = latencies(one, address, EACH * rounds), fan_outs(address, rounds)
    row = [(f"{OPEN} pages open, one event at a time", *(duration(quantile(soon, share)) for share in (0.5, 0.99)), duration(max(soon)), verdict(soon))]
    row += [
        (
            f"{CROWD:,} pages, each told one thing by one transaction",
            *(duration(quantile(fan, share)) for share in (0.5, 0.99)),
            duration(max(fan)),
            "reported only",
        )
    ]
    return Section(
        "Stream",
        f"From the commit of the activity (after `success.activity.STORE` has returned) to the moment at which the page of its supplier has read what it was "
        f"told: {len(soon):,} events, each reaching a milestone, {OPEN} pages open, one dispatcher, one stream server. Then {CROWD:,} pages open and one push "
        "for each of their suppliers, all in one transaction: from its commit to each page.",
        ("what", "half within", "99 % within", "all within", "goal"),
        row,
    )


def verdict(times: list[float]) -> str:
    return "99 % within 50 ms: " + ("met" if quantile(times, 0.99) <= 0.05 else "**over its goal**")


def milestones(one: Sender) -> tuple[str, int]:
    """An event that nobody had before; the first times of it each reach a milestone."""
    name = f"Bench {time.time_ns()}"
    event = db.rows("insert into success_eventname (name, meaning, kept, description) values (%s, 'none', '{}', '') returning id", [name])[0][0]
    for n in range(1, MOST_REACHED + 1):
        about = {"requirement": {"count": f"event:{name}", "at_least": n}, "active": False, "words": "You got there.", "celebration": "full"}
        milestone = Milestone.objects.create(key=f"bench-{time.time_ns()}", name=name, **about)
        Threshold.objects.create(milestone=milestone, kind="event", of=event, n=n, counter=f"event:{name}", whole=True)
    return name, event


def messages(one: Sender, name: str, event: int, suppliers: list[int]) -> list[list[object]]:
    """The parameters of one event each."""
    at, batches = datetime.now(UTC), one.batches(len(suppliers) // traffic.SIZE + 1)
    made = [message for batch in batches for message in batch]
    own = [traffic.Message(message.id, supplier, name, at, None) for message, supplier in zip(made, suppliers, strict=False)]
    return [traffic.as_parameters([message], source=one.source, at=at, events={name: event}) for message in own]


def in_service(n: int) -> list[int]:
    return [pk for (pk,) in db.rows("select id from success_supplier where success_in_service(status, internal) order by id limit %s", [n])]


def latencies(one: Sender, address: str, events: int) -> list[float]:
    name, event = milestones(one)
    who = in_service(OPEN)
    crowd, taken = Crowd(address, who), []
    try:
        for n, made in enumerate(messages(one, name, event, [who[n % len(who)] for n in range(events)])):
            heard = crowd.heard[who[n % len(who)]]
            before = len(heard)
            ingest.store(made)
            committed = time.perf_counter()
            wait(lambda: len(heard) > before, f"event {n} was not heard of")  # noqa: B023 - awaited here
            taken.append(max(0.0, heard[before] - committed))
            time.sleep(0.005)
    finally:
        crowd.close()
    return taken


def fan_outs(address: str, rounds: int) -> list[float]:
    found = in_service(CROWD)
    crowd, taken = Crowd(address, found), []
    try:
        for n in range(rounds):
            before, now = crowd.count(), datetime.now(UTC)
            push_all(
                [Said(supplier=supplier, event="notification", key=f"bench {time.time_ns()} {supplier}", data={"title": "said"}) for supplier in found], at=now
            )
            committed = time.perf_counter()
            wait(lambda: crowd.count() >= before + len(found), f"round {n}: {crowd.count() - before} of {len(found)}")  # noqa: B023
            taken += [heard[-1] - committed for heard in crowd.heard.values()]
    finally:
        crowd.close()
    return taken


# ---------------------------------------------------------------- P10


def p10(sizes: list[int], rounds: int, found: Databases) -> Section:
    sender(max(sizes[0], CROWD + CROWD // 10), found)
    pages = in_service(CROWD)
    with server(**SETTINGS) as (address, process):
        ours = cost(address, process, pages)
    with bare() as (address, process):
        theirs = cost(address, process, pages, bare=True)
    return Section(
        "P10 An open page",
        f"Memory (resident, of the server's processes) for each of {len(pages):,} open pages, and threads before and with them: our stream server beside the least "
        "ASGI application that holds a stream open, both under granian with the same options.",
        ("what", "ours", "bare ASGI", "ours / beside", "goal"),
        [
            ("memory of a page", f"{ours[0] / 1024:.1f} KiB", f"{theirs[0] / 1024:.1f} KiB", f"{ours[0] / theirs[0]:.2f}", at_most(ours[0] / theirs[0], 1.3)),
            (
                "threads, before and with all open",
                f"{ours[1]}, {ours[2]}",
                f"{theirs[1]}, {theirs[2]}",
                "",
                "independent of pages: " + ("met" if ours[2] <= ours[1] + 2 else "**over its goal**"),
            ),
        ],
    )


def at_most(ratio: float, goal: float) -> str:
    return f"at most {goal}: " + ("met" if ratio <= goal else "**over its goal**")


def cost(address: str, process: subprocess.Popen[bytes], pages: list[int], *, bare: bool = False) -> tuple[float, int, int]:
    """Bytes for each page, and the threads before and with them. A few pages first: what a process loads once is no page's."""
    Crowd(address, pages[:20], bare=bare).close()
    time.sleep(2)
    memory, threads = memory_and_threads(process)
    crowd = Crowd(address, pages, bare=bare)
    time.sleep(2)
    with_all, threads_with_all = memory_and_threads(process)
    crowd.close()
    return (with_all - memory) / len(pages), threads, threads_with_all


def memory_and_threads(process: subprocess.Popen[bytes]) -> tuple[int, int]:
    found = subprocess.run(["pgrep", "-g", str(process.pid)], capture_output=True, text=True, check=True).stdout.split()
    status = [dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines()) for pid in found]
    return sum(int(one["VmRSS"].split()[0]) * 1024 for one in status), sum(int(one["Threads"]) for one in status)


@contextmanager
def bare() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    port = free_port()
    options = ["--interface", "asginl", "--no-ws", "--port", str(port), "--backpressure", "100000", "tests.bench.bare:application"]
    process = start([sys.executable, "-m", "granian", *options])
    try:
        wait_until_open(port, process)
        yield f"http://127.0.0.1:{port}/", process
    finally:
        end(process)


def wait_until_open(port: int, process: subprocess.Popen[bytes]) -> None:
    """It answers everything with a stream, so it is only asked for its head."""
    for _ in range(200):
        try:
            Crowd(f"http://127.0.0.1:{port}/", [1], bare=True).close()
        except ConnectionError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the bare application does not answer")


# ---------------------------------------------------------------- P7


def p7(sizes: list[int], rounds: int, found: Databases) -> Section:
    one = sender(sizes[0], found)
    pages = in_service(OPEN)
    with ExitStack() as running:
        running.enter_context(dispatcher(**SETTINGS))
        address, _ = running.enter_context(server(**SETTINGS))
        crowd = Crowd(address, pages)
        try:
            live, silent = interleaved(rounds, lambda: written(one, pages), lambda: unrung(lambda: written(one, pages)))
        finally:
            crowd.close()
    return section(
        "P7 Writers beside the stream",
        f"{WRITERS} connections, {COMMITS:,} commits of one event each for the suppliers of {OPEN} open pages, one in ten of which reaches a milestone that "
        "is announced and told at once; "
        "beside the same with the bell taken off the achievements, so that nothing is announced meanwhile. 0.9 of the throughput is 1.11 of the time.",
        [Figure(f"{sizes[0]:,} suppliers", live, "no push", silent, COMMITS, "commit", 1 / 0.9)],
    )


def unrung(work: object) -> float:
    db.execute("alter table milestones_achievement disable trigger milestones_ring")
    try:
        return float(work())  # type: ignore[operator]
    finally:
        db.execute("alter table milestones_achievement enable trigger milestones_ring")
        db.execute("update milestones_achievement set announced_at = known_at where announced_at is null")


def written(one: Sender, pages: list[int]) -> float:
    """Seconds that all commits take."""
    name, event = milestones(one)
    quiet, nothing = "Page Viewed", one.events["Page Viewed"]
    who = [pages[n % len(pages)] for n in range(COMMITS // 10)]
    loud = messages(one, name, event, who)
    calm = messages(one, quiet, nothing, [pages[n % len(pages)] for n in range(COMMITS - len(loud))])
    made = [loud[n // 10] if n % 10 == 0 and n // 10 < len(loud) else calm.pop() for n in range(COMMITS)]
    turns = iter(made)
    lock = threading.Lock()

    def write() -> None:
        with psycopg.connect(**parameters("bench"), autocommit=True) as own:
            begun.wait()
            while True:
                with lock:
                    mine = next(turns, None)
                if mine is None:
                    return
                with own.transaction():
                    own.execute("select pg_advisory_xact_lock_shared(%s)", [db.WRITING])
                    own.execute(activity.STORE, mine, prepare=True)

    begun = threading.Barrier(WRITERS + 1)
    threads = [threading.Thread(target=write) for _ in range(WRITERS)]
    for thread in threads:
        thread.start()
    begun.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began
