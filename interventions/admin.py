"""What came of playbooks: runs, steps and decisions, which nobody edits."""

from django.contrib import admin

from interventions.models import Decision, Intervention, Step
from success.admin.base import OfSuppliers, ReadOnlyAdmin
from success.admin.due import DueRowAdmin, StateFilter


@admin.register(Intervention)
class InterventionAdmin(OfSuppliers, ReadOnlyAdmin):
    list_display = ["supplier", "playbook", "episode", "started_at", "ended", "ended_at"]
    list_filter = ["playbook", "ended"]
    list_select_related = ["supplier", "playbook"]
    ordering = ["-pk"]


@admin.register(Decision)
class DecisionAdmin(OfSuppliers, ReadOnlyAdmin):
    list_display = ["at", "supplier", "playbook", "outcome", "why", "next_possible_at"]
    list_filter = ["playbook", "outcome", "gate"]
    list_select_related = ["supplier", "playbook"]
    ordering = ["-pk"]

    @admin.display(description="why not")
    def why(self, decision: Decision) -> str:
        return next((str(gate.get("why", "")) for gate in decision.gates if gate["key"] == decision.gate), "") or decision.gate.replace("_", " ")


@admin.register(Step)
class StepAdmin(DueRowAdmin):
    """What playbooks do next, and what they did."""

    list_filter = [StateFilter, "intervention__playbook"]
    list_select_related = ["supplier", "intervention__playbook"]
