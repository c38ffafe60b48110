"""The landing page: who needs me today, why, and what was already tried."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse

from config.console import sending, start
from config.console.pages import console, page
from config.console.story import reasons_of
from health import current, worklist
from success import books, clock
from success.metrics import STORED_WINDOW
from success.models import Supplier, Task

TASKS = 10


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose suppliers the page is about."""

    key: str
    title: str
    owner: int | None = None
    unassigned: bool = False

    @property
    def asked(self) -> dict[str, Any]:
        return {"owner": self.owner, "unassigned": self.unassigned}

    @property
    def lists(self) -> str:
        """The address of the list of these suppliers, to be narrowed."""
        owner = {"mine": "owner=mine&", "unassigned": "owner=none&"}.get(self.key, "")
        return f"{reverse('admin:success_supplier_changelist')}?{owner}"


@console("success.view_supplier")
def today(request: HttpRequest) -> HttpResponseBase:
    """At most 20 suppliers who need somebody, the new ones, the tasks due, and the book in numbers."""
    if start.empty() and request.user.has_perm("success.add_apikey"):
        return HttpResponseRedirect(reverse("console:start"))
    at, choices = clock.now(), choices_of(request)
    whose = next((choice for choice in choices if choice.key == request.GET.get("whose")), choices[0])
    lists, book = worklist.today(**whose.asked, at=at)
    reasons = worst_reasons([line.key for found in lists.values() for line in found.lines], at=at)
    context = {name: {"total": found.total, "lines": [(line, reasons.get(line.key)) for line in found.lines]} for name, found in lists.items()}
    return page(
        request, "today", title="Today", **context, book=book, whose=whose, choices=choices, tasks=tasks_of(request), sending=sending.standing(request, at=at)
    )


def choices_of(request: HttpRequest) -> list[Whose]:
    """The books this person may look at, their own first if they have one."""
    mine = Whose("mine", "Mine", owner=request.user.pk)
    if books.limited(request.user):
        return [mine]
    rest = [Whose("all", "Everyone's"), Whose("unassigned", "Nobody's", unassigned=True)]
    return [mine, *rest] if Supplier.objects.filter(owner=request.user.pk).exists() else [rest[0], mine, rest[1]]


def worst_reasons(keys: list[int], *, at: datetime) -> dict[int, str]:
    """The worst reason of each supplier that has one."""
    found = {}
    for key, health in current.healths_of(keys, days=STORED_WINDOW, at=at).items():
        reasons = reasons_of(health)
        if reasons:
            found[key] = reasons[0].text
    return found


def tasks_of(request: HttpRequest) -> list[Task]:
    """The reader's own open tasks, the most overdue first."""
    mine = Task.objects.open().filter(assignee=request.user.pk).select_related("supplier").prefetch_related("supplier__contacts")
    return list(books.visible(mine, request.user, path="supplier__").order_by("due_on", "pk")[:TASKS])
