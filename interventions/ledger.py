"""InterventionEngine's ledger: each decision about a supplier who qualified, with all gates and her health at that moment."""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from health.models import Assessment
from interventions.models import Decision, Intervention, Outcome, Playbook

REPEATED = 7  # days: as often a supplier who is left out for the same reason stands in the ledger again
HEALTH = ("status", "score", "level", "points")
DEFERRING = {"first_day", "paused", "quiet", "stopped", "settings"}  # gates that open by themselves, or by our own doing


@dataclass(frozen=True, slots=True)
class Gate:
    """One thing that has to hold before a supplier is reached."""

    key: str
    holds: bool
    why: str = ""
    next_possible_at: datetime | None = None

    def told(self) -> dict[str, Any]:
        at = self.next_possible_at
        return {name: value for name, value in asdict(self).items() if value != "" and value is not None} | ({"next_possible_at": at.isoformat()} if at else {})


def first_failed(gates: Iterable[Gate]) -> Gate | None:
    """The gate to tell: what no waiting mends goes before what opens by itself."""
    return min((gate for gate in gates if not gate.holds), key=lambda gate: gate.key in DEFERRING, default=None)


def health_of(suppliers: Collection[int]) -> dict[int, dict[str, Any]]:
    """Score, level and parts as they were computed last."""
    found = Assessment.objects.filter(pk__in=suppliers).values_list("supplier_id", *HEALTH)
    return {supplier: dict(zip(HEALTH, values, strict=True)) for supplier, *values in found}


def decision(
    playbook: Playbook, supplier: int, gates: list[Gate], *, health: dict[str, Any], key: str, at: datetime, run: Intervention | None = None, **values: Any
) -> Decision:
    """What is decided by these gates: on its way if all hold, else left out or put off, by the first that does not."""
    failed = first_failed(gates)
    outcome = Outcome.DEFERRED if failed is None or failed.key in DEFERRING else Outcome.SKIPPED
    return Decision(
        supplier_id=supplier, playbook=playbook, intervention=run, version=run.version if run else playbook.version, at=at,
        gate=failed.key if failed else "", gates=[gate.told() for gate in gates], next_possible_at=failed.next_possible_at if failed else None,
        health=health, key=key, **{"outcome": outcome, **values},
    )  # fmt: skip


def left_out_key(gate: str, at: datetime) -> str:
    """Decided once in a week, however often it is asked; of what opens by itself once a day."""
    return f"{gate}:{at.date().isoformat()}" if gate in DEFERRING else f"{gate}:{at.date().toordinal() // REPEATED}"


def write(decisions: list[Decision]) -> None:
    """What was decided by the same key before stands as it is."""
    Decision.objects.bulk_create(sorted(decisions, key=lambda one: one.supplier_id), ignore_conflicts=True)


def settle(message: str, *, outcome: str, gate: str, why: str) -> int:
    """What came of a message stands in its decision."""
    return (
        Decision.objects.filter(message=message)
        .exclude(outcome=Outcome.SENT)
        .update(outcome=outcome, gate=gate, **({"gates": [Gate(gate, False, why).told()]} if gate else {}))
    )
