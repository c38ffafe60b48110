"""Writers, scorers and expiry beside each other: no deadlock, no dead letter, no wrong counter, no wrong score."""

import hashlib
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.db.utils import OperationalError

from health import assessments, history, scoring
from health.models import Assessment
from health.scoring import WS142, Inputs
from success import activity, catalogue, clients, db, letters, metrics, privacy, reconcile, suppliers
from success.messages import SIGN_IN_REPORTED, Item
from success.models import Activity, Client, Contact, DeadLetter, Facts, Source, Supplier
from tests.factories import SourceFactory, SupplierFactory
from tests.histories import EVENTS

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
WRITERS = 8
BATCHES = 20
PEOPLE = [f"supplier {n}" for n in range(12)]


class Beside:
    """Runs work in threads with their own connections, and keeps what went wrong."""

    def __init__(self) -> None:
        self.errors: list[Exception] = []
        self.over = threading.Event()

    def run(self, work: Callable[[], object]) -> None:
        try:
            work()
        except Exception as error:
            self.errors.append(error)
        finally:
            connection.close()

    def all(self, writers: list[Callable[[], object]], others: list[Callable[[], object]]) -> None:
        """Writers once each; the others again and again until the writers are done."""
        with ThreadPoolExecutor(len(writers) + len(others)) as pool:
            loops = [pool.submit(self.run, lambda other=other: self.until_over(other)) for other in others]
            for job in [pool.submit(self.run, writer) for writer in writers]:
                job.result()
            self.over.set()
            for loop in loops:
                loop.result()

    def until_over(self, work: Callable[[], object]) -> None:
        while not self.over.is_set():
            work()


class Clock:
    """Time for everyone, that goes on by two hours with each write."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.at = START

    def __call__(self) -> datetime:
        with self.lock:
            self.at += timedelta(hours=2)
            return self.at

    def look(self) -> datetime:
        return self.at


@pytest.fixture
def source(committed: None) -> Source:
    activity.ensure_partitions(now=START)
    catalogue.ids_of(set(EVENTS))
    for name in PEOPLE[:8]:
        SupplierFactory(external_id=name, created_at=START - timedelta(days=100))
    return SourceFactory(name="product")


def one(draw: random.Random, source: Source, at: datetime) -> Item:
    supplier, digest = draw.choice(PEOPLE), hashlib.sha256(b"%d" % draw.randrange(4000)).digest()[:16]
    when = at - timedelta(seconds=draw.randrange(50 * 86_400))
    if draw.random() < 0.25:
        traits = {"status": draw.choice(["active", "trial", "cancelled"]), "plan": draw.choice("abc"), "email": f"{supplier.replace(' ', '')}@example.org"}
        event = SIGN_IN_REPORTED if draw.random() < 0.5 else None
        return Item(digest, supplier, None, event, when, False, traits=traits, person=supplier, undeclared=(draw.choice("xyz"),))
    event = draw.choice([*EVENTS, "Client Active", "Form Started", f"new {draw.randrange(30)}"])
    return Item(digest, supplier, None, event, when, False, {"client_id": f"c{draw.randrange(6)}"})


def writer(seed: int, source: Source, clock: Clock) -> Callable[[], None]:
    draw = random.Random(seed)

    def write() -> None:
        for _ in range(BATCHES):
            at = clock()
            if draw.random() < 0.3:
                put(draw, source, at)
            else:
                activity.record([one(draw, source, at) for _ in range(draw.randrange(1, 25))], source=source, received_at=at)

    return write


def put(draw: random.Random, source: Source, at: datetime) -> None:
    with suppress(suppliers.SupplierErased), transaction.atomic():
        supplier = suppliers.resolve_one(draw.choice(PEOPLE), source=source, at=at)
        if draw.random() < 0.3:
            clients.archive(supplier_id=supplier, client=f"c{draw.randrange(6)}", at=at)
        else:
            own = {f"c{draw.randrange(6)}": draw.choice([None, at - timedelta(days=draw.randrange(60))]) for _ in range(4)}
            clients.put(supplier_id=supplier, clients=own, at=at)


def letters_of(errors: list[Exception]) -> list[str | None]:
    return [getattr(error.__cause__, "sqlstate", None) for error in errors if isinstance(error, OperationalError)]


def all_ids() -> list[int]:
    return sorted(Supplier.objects.values_list("pk", flat=True))


def scores_by_the_pure_function(at: datetime) -> Iterator[tuple[int, tuple[str, float | None]]]:
    for facts in Facts.objects.order_by("pk"):
        inputs = Inputs(*(getattr(facts, name) for name in assessments.INPUTS))
        status = scoring.status(
            in_service=facts.in_service, known_since=facts.known_since, acted=facts.first_activity_at is not None,
            has_clients=facts.clients_total > 0, any_activity=True, at=at,
        )  # fmt: skip
        yield facts.pk, (status, scoring.score(WS142, inputs, at).score if status == "ok" else None)


def test_writers_scorers_and_expiry_beside_each_other(source):
    clock, beside = Clock(), Beside()
    beside.all(
        [writer(n, source, clock) for n in range(WRITERS)],
        [
            lambda: assessments.assess_touched(at=clock.look(), limit=5),
            lambda: assessments.assess(at=clock.look(), chunk_size=7),
            lambda: assessments.assess(at=clock.look(), chunk_size=100),
            lambda: history.flag_declines(at=clock.look(), chunk_size=5),
        ],
    )
    assert letters_of(beside.errors) == []
    assert beside.errors == []
    assert not DeadLetter.objects.exists()
    assert reconcile.differences(all_ids()) == []
    at = clock()
    assessments.assess(at=at)
    assert reconcile.differences(all_ids()) == []
    assert dict(scores_by_the_pure_function(at)) == {row.pk: (row.status, row.score) for row in Assessment.objects.all()}


def test_two_scorings_beside_each_other_leave_no_old_score(source):
    """Whoever writes a score has locked the facts it is made from, so none is overwritten by an older one."""
    beside = Beside()
    at = START + timedelta(days=30)

    def write() -> None:
        draw = random.Random(threading.get_ident())
        for _ in range(60):
            activity.record([one(draw, source, at) for _ in range(3)], source=source, received_at=at)

    beside.all(
        [write, write], [lambda: assessments.assess_touched(at=at, limit=3), lambda: assessments.assess(at=at), lambda: assessments.assess(at=at, chunk_size=3)]
    )
    assert beside.errors == []
    while assessments.assess_touched(at=at).assessed:
        pass
    assert dict(scores_by_the_pure_function(at)) == {row.pk: (row.status, row.score) for row in Assessment.objects.all()}
    assert metrics.count() == len(PEOPLE)


def test_a_meaning_changes_beside_writers(source):
    clock, beside = Clock(), Beside()
    turns = [
        ("Something Else", "form_started"),
        ("Form Started", "none"),
        ("Something Else", "client_active"),
        ("Form Started", "form_completed"),
        ("Page Viewed", "sign_in"),
    ]

    def change() -> None:
        for name, meaning in turns:
            catalogue.change_meaning(name=name, meaning=meaning, feature=None, at=clock())

    beside.all([change, *(writer(n, source, clock) for n in range(WRITERS))], [lambda: assessments.assess_touched(at=clock.look(), limit=5)])
    assert beside.errors == []
    assert not DeadLetter.objects.exists()
    assert reconcile.differences(all_ids()) == []


def test_roll_ups_are_put_right_beside_writers(source):
    clock, beside = Clock(), Beside()

    def spoil() -> None:
        for _ in range(10):
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("update success_dailyuse set n = n + 1 where day = (select min(day) from success_dailyuse)")
            reconcile.reconcile(at=clock(), fix=True)

    beside.all([spoil, *(writer(n, source, clock) for n in range(WRITERS))], [lambda: assessments.assess_touched(at=clock.look(), limit=5)])
    assert beside.errors == []
    assert reconcile.differences(all_ids()) == []


def test_suppliers_are_erased_beside_writers_and_nothing_of_theirs_comes_after(source):
    clock, beside = Clock(), Beside()
    names = PEOPLE[:5]

    def erase() -> None:
        for n, name in enumerate(names):
            privacy.erase(name, at=clock(), opaque=f"erased-{n}")

    beside.all([erase, *(writer(n, source, clock) for n in range(WRITERS))], [lambda: assessments.assess_touched(at=clock.look(), limit=5)])
    assert beside.errors == []
    erased = Supplier.objects.filter(external_id__startswith="erased-")
    assert len(erased) == len(names)
    assert not Supplier.objects.filter(external_id__in=names).exists()
    for model in (Activity, Client):
        assert not model.objects.filter(supplier__in=list(erased.values_list("pk", flat=True))).exists()
    assert not Contact.objects.filter(supplier__in=erased).exclude(email="").exists()
    assert reconcile.differences(all_ids()) == []


WAITING = "select 1 from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())"


def test_a_letter_is_not_in_hand_while_an_erasure_is_waited_for(committed):
    """Erasing shuts writers out and then takes letters: who held one and waited would be waited for in turn."""
    letter = DeadLetter.objects.create(received_at=START, messages=[], sqlstate="22000", error="")
    beside = Beside()
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        db.without_writers(patience="2s")
        folding = pool.submit(beside.run, lambda: letters.fold_whole(letter.pk, at=START))
        while not db.rows(WAITING) and not folding.done():
            pass
        assert list(DeadLetter.objects.select_for_update(nowait=True)) == [letter]
    assert beside.errors == []
    letter.refresh_from_db()
    assert letter.resolved_at == START
