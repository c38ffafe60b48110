"""The past: each day's score is what a recount from raw rows gives, however it came to be written."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from health import history
from health.models import Assessment, Closing, Snapshot
from success import clients, db, suppliers
from success.models import DailyUse, JobRun, Supplier
from tests import histories
from tests.factories import SourceFactory, SupplierFactory
from tests.histories import NOW, Happening
from tests.recounts import check

TODAY = NOW.date()
KEYS = ["login_recency", "feature_adoption", "client_activity", "form_completion", "journey_performance"]
COLUMNS = ("supplier_id", "day", *history.COLUMNS)


def ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def noon(days: int) -> datetime:
    """Midday, so many days ago."""
    return datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=UTC) - timedelta(days=days)


def rows() -> list[tuple]:
    return list(Snapshot.objects.order_by("supplier_id", "day").values_list(*COLUMNS))


# ---------------------------------------------------------------- random histories


@dataclass(frozen=True)
class Told:
    """What the product says of a client or of the supplier's status."""

    supplier: str
    days: int
    client: str
    what: str
    last: int | None


told_things = st.builds(
    Told,
    supplier=st.sampled_from(histories.SUPPLIERS),
    days=st.integers(1, 61),
    client=st.sampled_from(["x1", "x2"]),
    what=st.sampled_from(["put", "archive", "paused", "active", "cancelled"]),
    last=st.none() | st.integers(0, 40),
)


def play(sent: list[Happening], told: list[Told]) -> dict[str, list]:
    """All of it is taken in; says what was told of whose clients."""
    histories.record(histories.once(sent), SourceFactory())
    found: dict[str, list] = {name: [] for name in histories.SUPPLIERS}
    for one in sorted(told, key=lambda one: (-one.days, one.client)):
        supplier = Supplier.objects.filter(external_id=one.supplier).first()
        at = noon(one.days)
        if supplier is None:
            continue
        if one.what == "put":
            last = None if one.last is None else at - timedelta(days=one.last)
            clients.put(supplier_id=supplier.pk, clients={one.client: last}, at=at)
            found[one.supplier].append((at, one.client, "put", last))
        elif one.what == "archive":
            if clients.archive(supplier_id=supplier.pk, client=one.client, at=at):
                found[one.supplier].append((at, one.client, "archive", None))
        else:
            supplier.cancelled_at = None
            suppliers.update(supplier, {"status": one.what}, at=at)
    return found


PROPERTY = settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None)
happened = st.lists(histories.happenings, min_size=1, max_size=30)


def state(row: Snapshot) -> list[object]:
    return [getattr(row, name) for name in ("status", "score", *history.INPUTS)]


def add_up() -> None:
    """For each component the points before, what time took and what happened are the points after; and no row repeats the one before."""
    before: dict[int, Snapshot] = {}
    for row in Snapshot.objects.order_by("supplier_id", "day"):
        old = before.get(row.supplier_id)
        if old:
            assert state(old) != state(row)
        if old and old.points and row.points:
            assert [sum(parts) for parts in zip(old.points, row.by_time, row.by_activity, strict=True)] == pytest.approx(row.points, abs=1e-9)
        before[row.supplier_id] = row


class TestRandomHistories(TestCase):
    @PROPERTY
    @given(sent=happened, told=st.lists(told_things, max_size=12), cut=st.integers(1, 60))
    def test_closing_each_day_backfilling_and_a_recount_agree(self, sent, told, cut):
        found = play(sent, told)
        days = [ago(back) for back in range(62, 0, -1)]
        history.backfill(first=days[0], last=days[-1], chunk_size=2)
        at_once = rows()
        for supplier in Supplier.objects.all():
            check(supplier, found[supplier.external_id], days)
        forget()
        history.backfill(first=ago(cut), last=ago(1))  # and then what was before it
        if cut < 62:
            history.backfill(first=days[0], last=ago(cut + 1))
        assert rows() == at_once
        forget()
        history.backfill(first=days[0], last=ago(9))
        for back in range(8, 0, -1):
            assert not history.close_day(day=ago(back)).failures
        assert rows() == at_once
        assert history.backfill(first=days[0], last=days[-1], overwrite=True).written == 0

    @PROPERTY
    @given(sent=happened, late=happened, told=st.lists(told_things, max_size=6), cuts=st.tuples(st.integers(1, 60), st.integers(1, 60)))
    def test_what_comes_late_changes_no_closed_day_until_it_is_written_over_and_movements_still_add_up(self, sent, late, told, cuts):
        play(sent, told)
        history.backfill(first=ago(62), last=ago(1))
        as_known_then = rows()
        histories.record(histories.once(late), SourceFactory())
        known = {supplier for supplier, *_ in as_known_then}
        late_comers = list(Supplier.objects.exclude(pk__in=known).values_list("pk", flat=True))
        history.backfill(first=ago(62), last=ago(1))
        assert [row for row in rows() if row[0] not in late_comers] == as_known_then
        last, first = sorted(cuts)
        history.backfill(first=ago(first), last=ago(last), overwrite=True)
        add_up()
        rewritten = history.backfill(first=ago(62), last=ago(1), overwrite=True)
        assert rewritten.differing == 0
        add_up()
        at_last = rows()
        forget()
        history.backfill(first=ago(62), last=ago(1))
        assert [row[:-2] for row in rows()] == [row[:-2] for row in at_last]


def forget() -> None:
    Snapshot.objects.all().delete()
    Closing.objects.all().delete()


# ---------------------------------------------------------------- one after another


@pytest.fixture
def source(db: None):
    return SourceFactory()


def happen(source, *sent: tuple[str, str, datetime, str | None]) -> None:
    """(supplier, event, when, client), each a message of its own."""
    histories.record([Happening(hash(one), *one) for one in sent], source)


@pytest.fixture
def sarah(source) -> Supplier:
    """Signed up 40 days ago, one form, a client active then, silent since."""
    supplier = SupplierFactory(external_id="sarah", created_at=noon(40))
    happen(source, ("sarah", "Signed In", noon(40), None), ("sarah", "Form Created", noon(40), None), ("sarah", "Client Active", noon(40), "c1"))
    return supplier


def everybody(n: int) -> list[Supplier]:
    return [SupplierFactory(created_at=noon(40)) for _ in range(n)]


def break_supplier(supplier: Supplier) -> None:
    """More forms than a counter holds: its history cannot be computed."""
    form = db.rows("select id from success_eventname where name = 'Form Started'")[0][0]
    DailyUse.objects.bulk_create(
        DailyUse(supplier=supplier, day=ago(days), event_id=form, n=2**31 - 1, first_at=noon(days), last_at=noon(days)) for days in (5, 6)
    )


def mend(supplier: Supplier) -> None:
    DailyUse.objects.filter(supplier=supplier, n=2**31 - 1).delete()


class Killed(BaseException):
    """The process ends."""


def kill(n: int) -> None:
    raise Killed


def test_history_tells_what_time_took_and_what_she_did(sarah, source):
    happen(source, ("sarah", "Journey Created", noon(20), None))
    history.backfill(first=ago(45), last=ago(1))
    days = {row["day"]: row for row in history.history_of(supplier_id=sarah.pk, since=ago(45))}
    assert days[ago(40)]["parts"] == dict(zip(KEYS, [30.0, 6.25, 25.0, 0.0, 0.0], strict=True))
    assert days[ago(40)]["moved"] == []
    assert (days[ago(40)]["score"], days[ago(40)]["level"]) == (61.25, "at_risk")
    assert {day: row["moved"] for day, row in days.items() if day != ago(40)} == {
        ago(37): [{"component": "login_recency", "cause": "time", "points": -10.0}],
        ago(33): [{"component": "login_recency", "cause": "time", "points": -10.0}],
        ago(26): [{"component": "login_recency", "cause": "time", "points": -5.0}],
        ago(20): [{"component": "feature_adoption", "cause": "activity", "points": 6.25}],
        ago(10): [{"component": "login_recency", "cause": "time", "points": -5.0}, {"component": "client_activity", "cause": "time", "points": -25.0}],
    }


def test_a_range_opens_with_the_state_it_finds(sarah):
    history.backfill(first=ago(45), last=ago(1))
    [opening, *_] = history.history_of(supplier_id=sarah.pk, since=ago(15))
    assert (opening["day"], opening["score"], opening["moved"]) == (ago(15), 36.25, [])
    assert history.history_of(supplier_id=SupplierFactory().pk, since=ago(15)) == []


def test_points_by_time_and_activity_of_one_day_are_told_apart(sarah, source):
    happen(source, ("sarah", "Client Active", noon(10), "c1"), ("sarah", "Signed In", noon(10), None))
    history.backfill(first=ago(45), last=ago(1))
    moved = next(row["moved"] for row in history.history_of(supplier_id=sarah.pk, since=ago(45)) if row["day"] == ago(10))
    assert sorted((one["component"], one["cause"], one["points"]) for one in moved) == [
        ("client_activity", "activity", 25.0), ("client_activity", "time", -25.0), ("login_recency", "activity", 30.0), ("login_recency", "time", -5.0),
    ]  # fmt: skip


def test_the_ended_have_no_score_and_those_who_return_have_one(sarah, source):
    suppliers.update(sarah, {"status": "cancelled"}, at=noon(30))
    suppliers.update(sarah, {"status": "active"}, at=noon(28))
    history.backfill(first=ago(45), last=ago(1))
    found = {row.day: row for row in Snapshot.objects.filter(supplier=sarah)}
    assert (found[ago(30)].status, found[ago(30)].score, found[ago(30)].by_time) == ("ended", None, None)
    assert (found[ago(28)].status, found[ago(28)].by_activity) == ("ok", None)


def test_one_bad_supplier_stops_nobody_and_a_second_run_takes_only_the_rest(source):
    people = everybody(7)
    break_supplier(people[3])
    closed = history.close_day(day=ago(1), chunk_size=3)
    assert list(closed.failures) == [people[3].pk]
    assert "out of range" in closed.failures[people[3].pk]
    assert closed.counts() == {"suppliers": 6, "written": 6, "removed": 0, "differing": 0, "failed": 1}
    assert history.close_day(day=ago(1)).counts() == {"suppliers": 0, "written": 0, "removed": 0, "differing": 0, "failed": 1}
    mend(people[3])
    assert history.close_day(day=ago(1)).counts() == {"suppliers": 1, "written": 1, "removed": 0, "differing": 0, "failed": 0}
    assert history.close_day(day=ago(1)).suppliers == 0


@pytest.mark.parametrize("run", [lambda **more: history.close_day(day=ago(1), **more), lambda **more: history.backfill(first=ago(9), last=ago(1), **more)])
def test_a_killed_run_goes_on_where_it_stood(source, run):
    everybody(7)
    with pytest.raises(Killed):
        run(chunk_size=3, progress=lambda n: kill(n) if n else None)
    assert run(chunk_size=3).suppliers == 4
    assert Snapshot.objects.values("supplier").distinct().count() == 7


def test_late_data_leaves_closed_days_and_says_how_many_differ(sarah, source):
    history.backfill(first=ago(45), last=ago(3))
    history.close_day(day=ago(2))
    before = rows()
    happen(source, ("sarah", "Signed In", noon(20), None))
    late = history.backfill(first=ago(45), last=ago(1))
    assert late.differing == 19  # days 20 to 2
    assert [row for row in rows() if row[1] < ago(1)] == before
    assert history.history_of(supplier_id=sarah.pk, since=ago(1))[-1]["day"] == ago(1)
    again = history.backfill(first=ago(45), last=ago(1), overwrite=True)
    assert again.differing == 0
    assert Snapshot.objects.get(supplier=sarah, day=ago(20)).points[0] == 30.0
    add_up()


def test_a_supplier_imported_after_its_days_were_closed_gets_them(sarah, source):
    history.backfill(first=ago(45), last=ago(3))
    SupplierFactory(external_id="imported", created_at=noon(30))
    happen(source, ("imported", "Signed In", noon(30), None))
    history.close_day(day=ago(2))
    done = history.backfill(first=ago(45), last=ago(3))
    assert (done.written, done.removed, done.differing) == (4, 1, 0)  # what the close wrote first is no change any more
    add_up()
    assert Snapshot.objects.filter(supplier__external_id="imported").order_by("day").first().day == ago(30)


def test_closing_a_day_flags_those_whose_own_use_fell(source):
    supplier = SupplierFactory(external_id="anna", created_at=noon(60))
    happen(source, *(("anna", "Page Viewed", noon(days), None) for days in range(16, 40)))
    Assessment.objects.create(supplier=supplier, status="insufficient_data", scorecard="ws142", version=1, changed_at=NOW)
    history.close_day(day=ago(1))
    assert Assessment.objects.get(supplier=supplier).declining


def test_a_backfill_dates_levels_that_are_older_than_our_first_look(sarah, source):
    happen(source, *(("sarah", event, noon(20), None) for event in ("Signed In", "Form Created", "Clients Imported")))
    Assessment.objects.create(supplier=sarah, status="ok", score=12.5, level="critical", level_since=NOW, scorecard="ws142", version=1, changed_at=NOW)
    history.backfill(first=ago(45), last=ago(1))
    dated = Assessment.objects.get(supplier=sarah)
    snapshots = Snapshot.objects.filter(supplier=sarah)
    fell = snapshots.filter(day__gt=snapshots.filter(level="at_risk").latest("day").day).earliest("day").day
    assert (dated.level_before, dated.level_since) == ("at_risk", history.end_of(fell))
    history.backfill(first=ago(45), last=ago(1), overwrite=True)
    assert Assessment.objects.get(supplier=sarah).level_since == dated.level_since


# ---------------------------------------------------------------- on the command line


@pytest.fixture
def now(time_machine) -> Iterator[None]:
    time_machine.move_to(NOW, tick=False)


def command(*args: str) -> str:
    out = StringIO()
    call_command(*args, stdout=out, stderr=out)
    return out.getvalue()


def test_backfill_health(sarah, now):
    SupplierFactory(external_id="ben", created_at=noon(40))
    days = ("--from", str(ago(45)), "--to", str(ago(1)))
    assert "1 suppliers, 45 days: 5 rows written" in command("backfill_health", *days, "--supplier", "sarah")
    assert "2 suppliers, 45 days: 2 rows written" in command("backfill_health", *days)
    with pytest.raises(CommandError, match="No such supplier: nobody"):
        command("backfill_health", *days, "--supplier", "nobody")
    with pytest.raises(CommandError, match="before today"):
        command("backfill_health", "--from", str(ago(45)), "--to", str(TODAY))


def test_backfill_health_lists_whom_it_failed_on(sarah, now):
    break_supplier(sarah)
    out = StringIO()
    with pytest.raises(CommandError, match="Failed on 1"):
        call_command("backfill_health", "--from", str(ago(9)), "--to", str(ago(1)), stdout=out, stderr=out)
    assert "sarah: integer out of range" in out.getvalue()


def test_assess_health(sarah, now):
    ben = SupplierFactory(external_id="ben", created_at=noon(40))
    assert "1 suppliers scored" in command("assess_health", "--supplier", "ben")
    assert list(Assessment.objects.values_list("supplier", flat=True)) == [ben.pk]
    assert "2 suppliers scored" in command("assess_health")
    with pytest.raises(CommandError, match="No scheduled run"):
        command("assess_health", "--failed")
    failures = [{"supplier": ben.pk, "reason": ".."}]
    JobRun.objects.create(job="health.assess", slot=NOW, started_at=NOW, leased_until=NOW, finished_at=NOW, state="done", failures=failures)
    assert "1 suppliers scored" in command("assess_health", "--failed")
