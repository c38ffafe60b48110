"""The scores as a list, worst first, and each with its parts, reasons and history."""

from datetime import datetime

from django.contrib import admin
from django.utils.safestring import SafeString

from health import current, risk
from health.models import Assessment, Snapshot
from health.scoring import WS142
from success import clock
from success.admin.base import OfSuppliers, ReadOnlyAdmin, ValuesFilter, table
from success.metrics import STORED_WINDOW


@admin.register(Assessment)
class AssessmentAdmin(OfSuppliers, ReadOnlyAdmin):
    """One line per supplier: where she stands, since when, and from what."""

    list_display = ["supplier", "level", "score_shown", "status", "level_since", "declining", "last_sign_in_at", "clients_active", "clients_total"]
    list_filter = ["level", "status", "declining", ("supplier__plan", ValuesFilter), "supplier__owner"]
    list_select_related = ["supplier"]
    search_fields = ["supplier__external_id", "supplier__contacts__name", "supplier__contacts__email"]
    search_help_text = "Name, mail or id"
    ordering = ["score"]
    list_per_page = 50
    fields = ["supplier", "status", "level", "score_shown", "level_since", "level_before", "declining", "parts_now", "reasons_now", "history"]
    readonly_fields = fields

    @admin.display(description="score", ordering="score")
    def score_shown(self, assessment: Assessment) -> str:
        return "" if assessment.score is None else f"{assessment.score:.1f}"

    @admin.display(description="parts, computed now over 30 days")
    def parts_now(self, assessment: Assessment) -> SafeString:
        health = current.health_of(assessment.supplier.external_id, days=STORED_WINDOW, at=clock.now())
        parts = current.parts(health.picture, WS142) if health else []
        return table(
            ("part", "points", "of", "made from"),
            [(part["key"].replace("_", " "), f"{part['points']:.2f}", part["max"], told(part["inputs"])) for part in parts],
        )

    @admin.display(description="reasons")
    def reasons_now(self, assessment: Assessment) -> SafeString:
        health = current.health_of(assessment.supplier.external_id, days=STORED_WINDOW, at=clock.now())
        reasons = risk.reasons(health.picture, WS142) if health and health.score else []
        return table(("worst first",), [(reason.text,) for reason in reasons])

    @admin.display(description="at the end of each day that changed it")
    def history(self, assessment: Assessment) -> SafeString:
        days = Snapshot.objects.filter(supplier_id=assessment.pk).order_by("-day").values_list("day", "status", "level", "score")[:30]
        return table(
            ("day", "status", "level", "score"), [(day, status, level or "", "" if score is None else f"{score:.1f}") for day, status, level, score in days]
        )


def told(inputs: dict[str, object]) -> str:
    return "; ".join(f"{key.replace('_', ' ')}: {worded(value)}" for key, value in inputs.items())


def worded(value: object) -> str:
    match value:
        case list():
            return ", ".join(str(one).replace("_", " ") for one in value) or "none"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M} UTC"
        case float():
            return f"{value:.1f}"
    return "never" if value is None else str(value)
