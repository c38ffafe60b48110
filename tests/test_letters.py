"""Dead letters: what could not be folded is folded once, around the row at fault."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from success import activity, jobs, letters
from success.models import Client, DailyUse, DeadLetter, Event, Facts, Supplier
from tests.factories import SourceFactory

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def sent(who: str, n: int, event: str = "Form Started", **properties) -> bytes:
    at = (NOON - timedelta(minutes=n)).isoformat()
    return json.dumps({"userId": who, "messageId": f"{who}-{n}", "event": event, "timestamp": at, "properties": properties}).encode()


@pytest.fixture
def source(db):
    return SourceFactory()


def break_fold(who: str) -> None:
    """A fault as they happen: a constraint that somebody's counters do not meet."""
    connection.cursor().execute(
        "alter table success_dailyuse add constraint test_refused check (supplier_id <> %s) not valid", [Supplier.objects.get(external_id=who).pk]
    )


def mend() -> None:
    connection.cursor().execute("alter table success_dailyuse drop constraint test_refused")


def counted(who: str) -> tuple[int, int]:
    facts = Facts.objects.get(supplier__external_id=who)
    return facts.forms_started, sum(DailyUse.objects.filter(supplier=facts.supplier).values_list("n", flat=True))


def test_rows_around_the_bad_one_are_folded_exactly_once(source):
    activity.take([sent("bad", 0)], kind="track", source=source, received_at=NOON)
    break_fold("bad")
    batch = [sent(who, n) for n in range(1, 31) for who in ("anna", "bea", "carl")]
    receipt = activity.take([*batch[:40], sent("bad", 1), *batch[40:]], kind="track", source=source, received_at=NOON)
    assert (receipt.accepted, counted("anna")) == (91, (0, 0))
    letter = DeadLetter.objects.get()
    assert (len(letter.messages), letter.sqlstate) == (91, "23514")
    assert letter.error == 'new row for relation "[value]" success_dailyuse test_refused'

    counts = letters.sweep(at=NOON)
    assert counts["open"] == 1
    assert [counted(who) for who in ("anna", "bea", "carl")] == [(30, 30)] * 3
    alone = DeadLetter.objects.get(resolved_at=None)
    assert (len(alone.messages), alone.attempts) == (1, 1)
    assert alone.error == letter.error
    letters.sweep(at=NOON)
    alone.refresh_from_db()
    assert alone.attempts == 1  # it waits
    for _ in range(2):
        letters.sweep(at=NOON + timedelta(seconds=10))
    alone.refresh_from_db()
    assert alone.attempts == 2  # 10 seconds after its receipt, then after 30

    mend()
    assert letters.retry(alone, at=NOON + timedelta(seconds=11))
    assert letters.retry(alone, at=NOON + timedelta(seconds=12))  # pressed twice
    assert counted("bad") == (2, 2)
    assert [counted(who) for who in ("anna", "bea", "carl")] == [(30, 30)] * 3
    assert not DeadLetter.objects.filter(resolved_at=None).exists()


def test_several_letters_fold_in_one_transaction_with_their_clients(source):
    activity.take([sent("anna", 0)], kind="track", source=source, received_at=NOON)
    break_fold("anna")
    for n in range(1, 4):
        activity.take([sent("anna", n, "Client Active", client_id=f"couple {n}")], kind="track", source=source, received_at=NOON + timedelta(seconds=n))
    mend()
    [run] = jobs.run_due("success.fold_again", at=NOON + timedelta(seconds=15))
    assert run.counts == {"folded": 3, "open": 0} or run.counts == {"folded": 3}
    assert Client.objects.count() == 3 and Facts.objects.get().clients_total == 3
    assert jobs.run_due("success.fold_again", at=NOON + timedelta(seconds=30))[0].counts == {}


def test_history_stays_history(source):
    activity.take([sent("anna", 0)], kind="track", source=source, received_at=NOON)
    jobs.run_due("health.touched", at=NOON)
    told = Event.objects.count()
    break_fold("anna")
    activity.take([sent("anna", 1, "Client Active", client_id="couple")], kind="track", source=source, received_at=NOON)
    DeadLetter.objects.update(history=True)
    mend()
    letters.sweep(at=NOON)
    assert Facts.objects.get().dirty_quiet
    jobs.run_due("health.touched", at=NOON + timedelta(seconds=2))
    assert (Client.objects.count(), Event.objects.count()) == (1, told)
