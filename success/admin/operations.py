"""What the system itself did: runs and dead letters."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from success import clock, jobs, letters
from success.admin.base import ReadOnlyAdmin
from success.models import DeadLetter, JobRun


@admin.register(JobRun)
class JobRunAdmin(ReadOnlyAdmin):
    list_display = ["job", "slot", "state", "started_at", "finished_at", "attempts", "counts", "failed"]
    list_filter = ["job", "state"]
    actions = ["rerun"]
    ordering = ["-slot"]

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


@admin.register(DeadLetter)
class DeadLetterAdmin(ReadOnlyAdmin):
    list_display = ["received_at", "rows", "sqlstate", "error", "attempts", "resolved_at"]
    list_filter = ["sqlstate", ("resolved_at", admin.EmptyFieldListFilter)]
    ordering = ["-pk"]
    actions = ["retry"]

    @admin.display(description="rows")
    def rows(self, letter: DeadLetter) -> int:
        return len(letter.messages)

    @admin.action(description="Fold again", permissions=["view"])
    def retry(self, request: HttpRequest, queryset: QuerySet[DeadLetter]) -> None:
        for letter in queryset.filter(resolved_at=None):
            letters.retry(letter, at=clock.now())
        left = queryset.filter(resolved_at=None).count()
        messages.info(request, f"{left} could not be folded still." if left else "All folded.")
