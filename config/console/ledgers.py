"""What the system itself did, row by row: runs with the suppliers they failed on, and dead letters with theirs; each to be tried again."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.contrib import admin, messages
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Min
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse

from config.console.pages import console
from config.console.templatetags.words import person
from success import books, clock, jobs, letters
from success.admin.operations import DeadLetterAdmin, JobRunAdmin
from success.models import Activity, DeadLetter, JobRun, Supplier

log = structlog.get_logger(__name__)
SHOWN = 100  # suppliers or rows on a page
WRONG: Mapping[str, str] = {  # by the class of SQLSTATE
    "22": "A value does not fit where it has to go.",
    "23": "A rule of the tables was broken.",
    "40": "Others were writing to the same rows.",
    "42": "The database lacks something it should have: a migration may be missing.",
    "55": "Others held the rows for too long.",
    "57": "It took too long, or the database was stopped.",
}
OTHERWISE = "Counting it failed for a reason that is not a usual one."


def called(ids: Iterable[int], reader: User | AnonymousUser) -> dict[int, str]:
    """What the suppliers are called that the reader may see."""
    if not reader.has_perm("success.view_supplier"):
        return {}
    found = books.visible(Supplier.objects.filter(pk__in=set(ids)), reader).prefetch_related("contacts")
    return {supplier.pk: person(supplier) for supplier in found}


# ---------------------------------------------------------------- runs


@admin.register(JobRun)
class Runs(JobRunAdmin):
    change_form_outer_before_template = "console/run.html"

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        run = self.get_object(request, object_id)
        answer: HttpResponseBase = super().change_view(request, object_id, form_url, {**(extra_context or {}), **(told(run, request) if run else {})})
        return answer


def told(run: JobRun, request: HttpRequest) -> dict[str, Any]:
    """The suppliers a run failed on whom the reader may see, with the reason, and how many more."""
    names = called([failure["supplier"] for failure in run.failures], request.user)
    seen = [(failure["supplier"], names[failure["supplier"]], failure["reason"]) for failure in run.failures if failure["supplier"] in names]
    running = run.state == "running" and run.leased_until > clock.now()
    return {"run": run, "failures": seen[:SHOWN], "not_shown": len(run.failures) - len(seen[:SHOWN]), "running": running, "known": run.job in jobs.registered()}


@console("success.view_jobrun", methods=("POST",))
def run_again(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The run takes those it failed on, or all, once more; what came of it stands on its page."""
    run = get_object_or_404(JobRun, pk=pk)
    try:
        again = jobs.rerun(run, at=clock.now())
    except jobs.StillRunning:
        messages.error(request, "This job is running just now. Try again when it has ended.")
    except jobs.UnknownJob:
        messages.error(request, "There is no job of this name any more.")
    except Exception:  # the job's own, whatever it is: the run keeps the reason, and the page says it
        log.exception("run_failed_again", job=run.job)
        messages.error(request, "It failed again. The reason stands below.")
    else:
        left = len(again.failures)
        messages.warning(request, f"Done, but it failed again on {left}.") if left else messages.success(request, "Done, and nothing failed.")
    return HttpResponseRedirect(reverse("admin:success_jobrun_change", args=[pk]))


# ---------------------------------------------------------------- dead letters


@admin.register(DeadLetter)
class DeadLetters(DeadLetterAdmin):
    list_before_template = "console/letters.html"
    change_form_outer_before_template = "console/letter.html"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        found = DeadLetter.objects.filter(resolved_at=None)
        answer: HttpResponseBase = super().changelist_view(
            request, {**(extra_context or {}), "open_letters": found.count(), "oldest": found.aggregate(at=Min("received_at"))["at"]}
        )
        return answer

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        letter = self.get_object(request, object_id)
        answer: HttpResponseBase = super().change_view(request, object_id, form_url, {**(extra_context or {}), **(read(letter, request) if letter else {})})
        return answer


def read(letter: DeadLetter, request: HttpRequest) -> dict[str, Any]:
    """What is wrong with a letter, when it is tried again by itself, and its rows whose suppliers the reader may see."""
    rows = Activity.objects.filter(received_at=letter.received_at, message__in=letter.messages[:SHOWN]).select_related("event", "source")
    kept = list(rows.order_by("occurred_at"))
    names = called([row.supplier_id for row in kept], request.user)
    return {
        "letter": letter,
        "wrong": WRONG.get(letter.sqlstate[:2], OTHERWISE),
        "next_try": next_try(letter),
        "rows": [(row, names[row.supplier_id]) for row in kept if row.supplier_id in names],
        "not_shown": len(letter.messages) - sum(row.supplier_id in names for row in kept),
    }


def next_try(letter: DeadLetter) -> datetime:
    """When the sweep takes it next: as `letters.DUE`."""
    return letter.received_at + timedelta(seconds=10 * (2 ** min(letter.attempts, 30) - 1))


@console("success.view_deadletter", methods=("POST",))
def fold_again(request: HttpRequest, pk: int) -> HttpResponseBase:
    """A letter is folded now, or says why it cannot be."""
    letter = get_object_or_404(DeadLetter, pk=pk)
    if letter.resolved_at:
        messages.info(request, "It was folded meanwhile.")
    elif letters.retry(letter, at=clock.now()):
        messages.success(request, "Folded: its activity counts now, and new scores follow.")
    else:
        messages.error(request, "It cannot be folded still; what is wrong stands below. Of a letter with several rows the good ones count now.")
    return HttpResponseRedirect(reverse("admin:success_deadletter_change", args=[pk]))
