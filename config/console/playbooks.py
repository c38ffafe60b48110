"""Playbooks: whom each would reach today, its switch, and for one supplier what it would send and what keeps her."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from unfold.widgets import UnfoldAdminTextInputWidget

from config.console.actions import signed_in
from config.console.ledgers import called
from config.console.pages import back, console, onwards, page, supplier_of
from config.console.templatetags.words import person
from interventions import engine, gates, ledger, personalization, plans, playbooks
from interventions.models import Decision, Intervention, Outcome, Playbook
from success import books, clock, conditions, facts
from success.models import MessageTemplate, Supplier
from success.notifications import letters
from success.notifications.facts import values_of

SHOWN = 40  # names on a page
LATEST = 10  # decisions on a supplier's page
DAYS = 7


# ---------------------------------------------------------------- all of them


@console("interventions.view_playbook")
@facts.held()
def everything(request: HttpRequest) -> HttpResponseBase:
    """Each playbook in words, whether it is on, and what it did this week."""
    found = Playbook.objects.order_by("name")
    running = dict(visible(Intervention.objects.running(), request).values_list("playbook").annotate(n=Count("pk")))
    return page(request, "playbooks", title="Playbooks", playbooks=[(in_words(one), running.get(one.pk, 0)) for one in found])


@dataclass(frozen=True, slots=True)
class Words:
    """A playbook as it reads."""

    playbook: Playbook
    condition: str
    goal: str
    steps: list[str]
    fault: str


def in_words(playbook: Playbook) -> Words:
    fault = gates.fault(playbook)
    steps = [] if fault else [plan.words for plan in plans.read(playbook.steps)]
    return Words(playbook, sentence(playbook.condition), sentence(playbook.goal), steps, fault)


def sentence(condition: Any) -> str:
    try:
        return facts.sentence(facts.condition(condition))
    except conditions.Invalid:
        return "asks for what is no longer known"


def visible(rows: Any, request: HttpRequest) -> Any:
    return books.visible(rows, request.user, path="supplier__")


@console("interventions.view_playbook")
@facts.held()
def one(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Whom a playbook would reach today, who is kept by what, and what it decided last."""
    playbook, at = get_object_or_404(Playbook, pk=pk), clock.now()
    reach = playbooks.reach(playbook, at=at, owner=request.user.pk if books.limited(request.user) else None)
    decided = visible(playbook.decisions.all(), request)
    sums = decided.filter(at__gte=at - DAYS * engine.FIRST_DAY).values_list("outcome", "gate").annotate(n=Count("pk")).order_by("-n", "outcome")
    latest = list(decided.order_by("-at")[:SHOWN])
    names = called([*reach.suppliers[:SHOWN], *(one.supplier_id for one in latest)], request.user)
    return page(
        request, "playbook", title=playbook.name, words=in_words(playbook), playbook=playbook, reach=reach,
        reached=[(key, names[key]) for key in reach.suppliers[:SHOWN] if key in names],
        kept=[(GATES.get(gate, gate), n) for gate, n in reach.kept.items()],
        first_day=first_day(playbook, at=at), sums=[(told(outcome, gate), n) for outcome, gate, n in sums],
        latest=[(decision, names[decision.supplier_id], why(decision)) for decision in latest if decision.supplier_id in names],
        limited=books.limited(request.user),
    )  # fmt: skip


def first_day(playbook: Playbook, *, at: datetime) -> str:
    """How many the first day takes, while that is to come or not over."""
    most = engine.most_of(playbook)
    if not playbook.is_on:
        return f"Switched on, it writes to suppliers by itself: to at most {most} in its first 24 hours, then to all who qualify."
    room = engine.room_of(playbook, at=at)
    return "" if room == float("inf") else f"In its first 24 hours it begins with at most {most}: there is room for {room:.0f} more."


GATES = {
    "broken": "the playbook has to be mended", "refused": "their mail server refused it",
    "service": "not in service", "condition": "does not qualify", "running": "being helped already", "again": "helped lately", "no_address": "no address known",
    "data": "no name, owner or activity known", "channel_off": "wants no mail", "category_off": "wants no tips", "suppressed": "mail to her came back",
    "cap": "had it within its days", "quiet": "night where she is", "paused": "asked for a pause", "stopped": "all sending is stopped",
    "settings": "sender not set up", "first_day": "waits for the second day", "owner": "no owner", "late": "too late", "cause": "no longer needed",
    "unwritten": "letter could not be written",
}  # fmt: skip
OUTCOMES = {
    Outcome.SENT: "sent",
    Outcome.DEFERRED: "on its way",
    Outcome.SKIPPED: "not sent",
    Outcome.FAILED: "failed",
    Outcome.UNKNOWN: "not known whether sent",
}


def why(decision: Decision) -> str:
    """What was decided, with the reason in full where it was decided against."""
    said = next((gate.get("why", "") for gate in decision.gates if gate["key"] == decision.gate), "")
    what, _, short = told(decision.outcome, decision.gate).partition(": ")
    return f"{what}: {said or short}" if decision.gate else what


def told(outcome: str, gate: str) -> str:
    """`not sent: said no`."""
    what = "waits" if outcome == Outcome.DEFERRED and gate else OUTCOMES.get(Outcome(outcome), outcome)
    return f"{what}: {GATES.get(gate, gate)}" if gate else what


@console("interventions.switch_playbook", methods=("POST",))
def switch(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The playbook is on, or off."""
    playbook, on = get_object_or_404(Playbook, pk=pk), request.POST.get("on") == "1"
    try:
        playbooks.switch(playbook, on=on, at=clock.now())
    except playbooks.NotChanged:
        messages.info(request, "Somebody has switched it meanwhile.")
    else:
        said = "On. Within a minute it begins with whom it would reach." if on else "Off. It begins with nobody; what has begun goes on."
        messages.success(request, said)
    return HttpResponseRedirect(reverse("console:playbook", args=[pk]))


# ---------------------------------------------------------------- for one supplier


@dataclass(frozen=True, slots=True)
class Standing:
    """A playbook beside a supplier: the run that is under way, or her last one."""

    playbook: Playbook
    run: Intervention | None


def of_supplier(supplier: Supplier) -> dict[str, Any]:
    """What her page shows: each playbook with her run of it, and the latest decisions."""
    runs: dict[int, Intervention] = {run.playbook_id: run for run in supplier.interventions.order_by("started_at")}
    latest = Decision.objects.filter(supplier=supplier).select_related("playbook").order_by("-at")[:LATEST]
    return {
        "playbooks": [Standing(playbook, runs.get(playbook.pk)) for playbook in Playbook.objects.order_by("name")],
        "decisions": [(decision, why(decision)) for decision in latest],
    }


class SendForm(forms.Form):
    """Sent, it goes through the same gates. Some can be overruled, with a reason."""

    reason = forms.CharField(max_length=200, required=False, widget=UnfoldAdminTextInputWidget, label="Why send it all the same")
    key = forms.CharField(max_length=40, widget=forms.HiddenInput)


@console("interventions.run_playbook", methods=("GET", "POST"))
@facts.held()
def preview(request: HttpRequest, pk: int, playbook: str) -> HttpResponseBase:
    """What a playbook would send her now, and each gate; sent, it begins."""
    supplier, chosen, at = supplier_of(request, pk), get_object_or_404(Playbook, key=playbook), clock.now()
    form = SendForm(request.POST or None, initial={"key": uuid4().hex}, label_suffix="")
    asked = gates.to_begin(chosen, [pk], at=at)[pk]
    if form.is_valid():
        run, asked = engine.ask(chosen, pk, key=f"console:{form.cleaned_data['key']}", at=at, by=signed_in(request), reason=form.cleaned_data["reason"])
        if run:
            messages.success(request, "Begun. What comes of it stands in her decisions.")
            return onwards(request, back(request, reverse("console:supplier", args=[pk])))
        form.add_error(None, f"Not sent: {next(gate.why for gate in asked if not gate.holds)}")
    failed = [gate for gate in asked if not gate.holds]
    if not [gate for gate in failed if gate.key not in ledger.DEFERRING]:
        del form.fields["reason"]
    template = "playbook_preview_form" if "fragment" in request.GET else "playbook_preview"
    about = {
        "supplier": supplier,
        "playbook": chosen,
        "gates": [(GATES.get(gate.key, gate.key), gate) for gate in failed],
        "form": form,
        "next": back(request, ""),
    }
    letter = letter_of(chosen, supplier)
    final = any(gate.key in gates.ALWAYS - ledger.DEFERRING for gate in failed) or isinstance(letter, dict)
    return page(request, template, title=f"{chosen.name}: {person(supplier)}", **about, final=final, letter=letter)


def letter_of(playbook: Playbook, supplier: Supplier) -> Any:
    """The first message of a playbook with her own numbers in it, as she would read it; or why it cannot be written."""
    if gates.fault(playbook):
        return None
    first = next((plan for plan in plans.read(playbook.steps) if plan.do == "message"), None)
    if first is None:
        return None
    context = personalization.letters([supplier.pk], template=first.template, at=clock.now())[supplier.pk].context
    template = MessageTemplate.objects.filter(key=first.template).first()
    if template is None:
        return {"error": gates.unwritten(first.template)}
    try:
        return letters.write(template, {**values_of({supplier.pk})[supplier.pk], **context})
    except letters.Unwritten as error:
        return {"error": str(error)}
