"""What the system itself did: runs and dead letters. The console, whose pages lead on to the suppliers, registers both."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest

from success import clock, jobs, letters
from success.admin.base import ReadOnlyAdmin
from success.models import DeadLetter, JobRun
from success.models.jobs import RunState


class FailedFilter(admin.SimpleListFilter):
    title = "what came of it"
    parameter_name = "failed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "failed, or failed on suppliers")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[JobRun]) -> QuerySet[JobRun]:
        return queryset.filter(Q(state=RunState.FAILED) | ~Q(failures=[])) if self.value() else queryset


class JobRunAdmin(ReadOnlyAdmin):
    list_display = ["job", "slot", "state", "started_at", "took", "attempts", "counted", "failed"]
    list_filter = [FailedFilter, "job", "state"]
    actions = ["rerun"]
    ordering = ["-slot"]
    fields = ["job", "slot", "state", "started_at", "finished_at", "attempts", "counted"]
    readonly_fields = fields

    @admin.display(description="took")
    def took(self, run: JobRun) -> str:
        return f"{(run.finished_at - run.started_at).total_seconds():.1f} s" if run.finished_at else ""

    @admin.display(description="did")
    def counted(self, run: JobRun) -> str:
        return ", ".join(f"{n:,} {name}" for name, n in run.counts.items()) or "nothing to do"

    @admin.display(description="failed suppliers")
    def failed(self, run: JobRun) -> int:
        return len(run.failures)

    @admin.action(description="Run again for the suppliers it failed on", permissions=["view"])
    def rerun(self, request: HttpRequest, queryset: QuerySet[JobRun]) -> None:
        try:
            for run in queryset:
                jobs.rerun(run, at=clock.now())
        except jobs.StillRunning:
            messages.error(request, "That job is running just now. Try again when it has ended.")
        except jobs.UnknownJob:
            messages.error(request, "There is no such job any more; its runs are only kept.")
        else:
            messages.success(request, "Done; see the failures that are left.")


class DeadLetterAdmin(ReadOnlyAdmin):
    list_display = ["received_at", "rows", "standing", "error", "attempts"]
    list_filter = [("resolved_at", admin.EmptyFieldListFilter), "sqlstate"]
    ordering = [F("resolved_at").desc(nulls_first=True), "-pk"]
    actions = ["retry"]
    fields = ["received_at", "sqlstate", "attempts"]
    readonly_fields = fields

    @admin.display(description="rows")
    def rows(self, letter: DeadLetter) -> int:
        return len(letter.messages)

    @admin.display(description="state", ordering="resolved_at")
    def standing(self, letter: DeadLetter) -> str:
        return f"folded {letter.resolved_at:%Y-%m-%d %H:%M} UTC" if letter.resolved_at else "open"

    @admin.action(description="Fold again", permissions=["view"])
    def retry(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> None:
        open_ones = list(queryset.filter(resolved_at=None))
        left = sum(not letters.retry(letter, at=clock.now()) for letter in open_ones)
        if not open_ones:
            messages.info(request, "None of these is open any more.")
        elif left:
            messages.warning(request, f"{left} of {len(open_ones)} cannot be folded still. Open one to see what is wrong with it.")
        else:
            messages.success(request, f"Folded: {len(open_ones)}. Their activity counts now.")
