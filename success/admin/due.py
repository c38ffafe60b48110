"""Due rows of every kind: read-only, but tried again or dropped for a reason. A kind's own page is a subclass of five lines."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.text import Truncator

from success import clock, due, events
from success.admin.base import OfSuppliers, ReadOnlyAdmin, ReadOnlyInline
from success.models import Delivery
from success.models.due import NEED_A_PERSON, DueRow, State

AT_ONCE = 500  # rows in the address of a page
LEFT = {State.REFUSED: "refused: needs a person", State.UNKNOWN: "not known whether done: needs a person"}


def stands(row: DueRow) -> str:
    """A row's state in words, with what follows from it."""
    if row.state != State.QUEUED:
        return LEFT.get(State(row.state), row.get_state_display())
    if row.due_at > clock.now():
        return "tried again later" if row.attempts else "due later"
    return "due again" if row.attempts else "due now"


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "is"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("left", "needs a person"), ("refused", "refused"), ("unknown", "not known whether done"), ("due", "due now"), ("later", "due later"),
            ("claimed", "being done"), ("accepted", "done"), ("dropped", "dropped"),
        ]  # fmt: skip

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case None:
                return queryset
            case "left":
                return queryset.filter(state__in=NEED_A_PERSON)
            case "due":
                return queryset.filter(state=State.QUEUED, due_at__lte=clock.now())
            case "later":
                return queryset.filter(state=State.QUEUED, due_at__gt=clock.now())
            case "claimed":
                return queryset.filter(Q(state=State.CLAIMED) | Q(state=State.QUEUED, leased_until__gt=clock.real()))
            case state:
                return queryset.filter(state=state)


class DueRowAdmin(OfSuppliers, ReadOnlyAdmin):
    """A subclass says `what` a row is about, and may add filters of its own: `list_filter = [StateFilter, ...]`."""

    list_display = ["what", "supplier", "stands", "due_at", "attempts", "wrong"]
    list_filter: Any = [StateFilter]
    list_select_related = ["supplier"]
    ordering = ["-pk"]
    actions = ["try_again", "drop"]
    fields = ["what", "supplier", "due_at", "attempts", "ended_at", "ended_by"]
    readonly_fields = fields
    change_form_outer_before_template = "console/due_row.html"

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """To have rows tried again or dropped, never to edit one."""
        return obj is None and bool(request.user.has_perm(f"{self.opts.app_label}.change_{self.opts.model_name}"))

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None) -> Any:
        row = self.get_object(request, object_id)
        about = {"row": row, "stands": stands(row), "may_act": self.has_change_permission(request)} if row else {}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **about})

    @admin.display(description="what")
    def what(self, row: Any) -> str:
        return str(row)

    @admin.display(description="state", ordering="state")
    def stands(self, row: DueRow) -> str:
        return stands(row)

    @admin.display(description="why")
    def wrong(self, row: DueRow) -> str:
        return Truncator(row.error).chars(120)

    @admin.action(description="Try again now", permissions=["change"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        said(request, due.all_again(queryset.order_by(), at=clock.now()), "due now: a worker takes {them} within seconds.")

    @admin.action(description="Drop, for a reason", permissions=["change"])
    def drop(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponseRedirect | None:
        rows = list(queryset.values_list("pk", flat=True)[: AT_ONCE + 1])
        if len(rows) > AT_ONCE:
            messages.error(request, f"Choose at most {AT_ONCE} rows at once.")
            return None
        asked = urlencode({"rows": rows, "next": request.get_full_path()}, doseq=True)
        return HttpResponseRedirect(f"{reverse('console:due_drop', args=[self.opts.label_lower])}?{asked}")


def said(request: HttpRequest, n: int, words: str) -> None:
    """What came of an action on rows, of which some may not have waited any more."""
    if not n:
        messages.info(request, "None of these waits any more: done, dropped, or being done just now.")
    else:
        messages.success(request, f"{n} row{'s are' if n > 1 else ' is'} {words.format(them='them' if n > 1 else 'it')}")


# ---------------------------------------------------------------- deliveries


class SubscriberFilter(admin.SimpleListFilter):
    title = "subscriber"
    parameter_name = "subscriber"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name) for name in events.subscribers()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(subscriber=self.value()) if self.value() else queryset


@admin.register(Delivery)
class DeliveryAdmin(DueRowAdmin):
    list_filter = [StateFilter, SubscriberFilter]
    list_select_related = ["supplier", "event"]

    @admin.display(description="what", ordering="subscriber")
    def what(self, row: Delivery) -> str:
        return f"{row.event} to {row.subscriber}"


class DeliveriesInline(ReadOnlyInline):
    """Who was told of an event."""

    model = Delivery
    fk_name = "event"
    fields = readonly_fields = ["subscriber", "stands", "due_at", "attempts", "error"]
    verbose_name_plural = "told to"
    show_change_link = True

    @admin.display(description="state")
    def stands(self, row: Delivery) -> str:
        return stands(row)
