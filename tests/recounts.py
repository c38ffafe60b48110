"""The past counted anew from raw rows, one by one: what every faster way must equal."""

from dataclasses import astuple, dataclass
from datetime import date, datetime, timedelta

import pytest

from health import history, scoring
from health.history import end_of
from health.models import Snapshot
from health.scoring import WS142, Inputs
from success import db, metrics
from success.models import Facts, Supplier

DAY = timedelta(days=1)
SUBMISSIONS = ("form_started", "form_completed", "step_started", "step_completed")


@dataclass
class Raw:
    """All there is of one supplier, read row by row."""

    supplier: int
    acts: list[tuple[str, int | None, datetime, str]]
    told: list[tuple[datetime, str, str, datetime | None]]  # of clients: when, which, put or archive, last active

    def inputs(self, known: datetime, at: datetime) -> Inputs:
        """The inputs at an instant from what had happened by another."""
        acts = [act for act in self.acts if act[2] <= known]
        signed_in = [when for meaning, _, when, _ in acts if meaning in ("sign_in", "sign_in_reported")]
        window = metrics.window_start(at, 30)
        counts = [sum(1 for other, _, when, _ in acts if other == meaning and when.date() >= window) for meaning in SUBMISSIONS]
        active, total = self.clients(known, at)
        return Inputs(max(signed_in, default=None), sum({1 << bit for _, bit, _, _ in acts if bit is not None}), active, total, *counts)

    def clients(self, known: datetime, at: datetime) -> tuple[int, int]:
        changes = [(when, client, "active", when) for meaning, _, when, client in self.acts if meaning == "client_active" and client]
        for when, client, what, last in self.told:
            changes.append((min(last or when, when), client, what, last) if what == "put" else (when, client, what, last))
        last_of: dict[str, datetime | None] = {}
        archived: dict[str, bool] = {}
        for when, client, what, last in sorted(changes, key=lambda change: change[0]):
            if when <= known:
                last_of[client] = max(filter(None, [last_of.get(client), last]), default=None)
                archived[client] = what == "archive"
        present = [client for client in last_of if not archived[client]]
        return sum(1 for client in present if last_of[client] and last_of[client] >= at - timedelta(days=30)), len(present)

    def status(self, at: datetime, inputs: Inputs) -> str:
        facts = Facts.objects.get(pk=self.supplier)
        changes = [change for change in Supplier.objects.get(pk=self.supplier).status_changes.order_by("at", "id") if change.at <= at]
        [(first,)] = db.rows("select min(first_activity_at) from success_facts")
        return scoring.status(
            in_service=not changes or (not changes[-1].internal and changes[-1].status not in ("cancelled", "paused")),
            known_since=facts.known_since, acted=facts.first_activity_at is not None and facts.first_activity_at <= at,
            has_clients=inputs.clients_total > 0, any_activity=first is not None and first <= at, at=at,
        )  # fmt: skip


RAW = """select e.meaning, e.feature, a.occurred_at, coalesce(a.properties ->> 'client_id', '') from success_activity a
    join success_eventname e on e.id = a.event_id where a.supplier_id = %s"""


def check(supplier: Supplier, told: list, days: list[date]) -> None:
    """Each day is as a recount says, and each movement is split as by ageing the day before and then adding what happened."""
    raw = Raw(supplier.pk, db.rows(RAW, [supplier.pk]), told)
    stored = {row.day: row for row in Snapshot.objects.filter(supplier=supplier)}
    before, stood = None, "ended"
    for day in days:
        at = end_of(day)
        row = stored.get(day)
        if day < Facts.objects.get(pk=supplier.pk).known_since.date():
            assert row is None
            continue
        inputs = raw.inputs(at, at)
        status = raw.status(at, inputs)
        score = scoring.score(WS142, inputs, at) if status == "ok" else None
        now = (status, score and score.score, inputs)
        assert (row is not None) == (before is None or before[:3] != now), day
        if row is not None:
            assert tuple(getattr(row, name) for name in history.INPUTS) == astuple(inputs)
            assert (row.status, row.level) == (status, score and score.level)
            stands = score.level if score else "none" if status == "insufficient_data" else "ended"
            assert row.stood_before == (None if stands == stood else stood)
            stood = stands
            if score:
                assert row.score == pytest.approx(score.score, abs=1e-9)
                assert row.points == pytest.approx(score.parts, abs=1e-9)
            if score and before and before[3]:
                aged = WS142.parts(raw.inputs(at - DAY, at), at)
                assert row.by_time == pytest.approx([new - old for new, old in zip(aged, before[3], strict=True)], abs=1e-9)
                assert [sum(parts) for parts in zip(before[3], row.by_time, row.by_activity, strict=True)] == pytest.approx(row.points, abs=1e-9)
            else:
                assert row.by_time is None and row.by_activity is None
        before = (*now, score and score.parts)
