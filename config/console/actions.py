"""What one can do about a supplier, from Today, a list or her page, without leaving it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse

from config.console.forms import NoteForm, OverrideForm, SnoozeForm, TaskForm, TouchpointForm
from config.console.pages import back, console, onwards, page, supplier_of
from config.console.templatetags.words import day, person
from config.console.zone import start_of
from health import overrides
from success import books, clock, work
from success.models import Task


@dataclass(frozen=True, slots=True)
class Action:
    """A form, what it does, and what is said when it is done."""

    title: str
    button: str
    form: type[forms.Form]
    run: Callable[..., object]
    done: str


def snooze(*, until: date, **rest: Any) -> object:
    return work.snooze(until=start_of(until), **rest)


def override(*, until: date, **rest: Any) -> object:
    return overrides.override(until=start_of(until), **rest)


ACTIONS: Mapping[str, Action] = {
    "note": Action("Note", "Save the note", NoteForm, work.note, "The note stands in her timeline."),
    "contacted": Action("I contacted her", "Save the contact", TouchpointForm, work.contacted, "The contact stands in her timeline."),
    "task": Action("Task", "Plan the task", TaskForm, work.plan, "The task is planned, due {due_on}."),
    "snooze": Action("Snooze", "Snooze her", SnoozeForm, snooze, "She is out of the lists until {until}."),
    "override": Action("Set the level", "Set the level", OverrideForm, override, "The level is set until {until}; the computed one stays beside it."),
}
REFUSALS = (work.NotLater, overrides.NotAllowed, overrides.NotPossible)  # their docstrings are what is said


@console("success.add_note", methods=("GET", "POST"))
def act(request: HttpRequest, pk: int, name: str) -> HttpResponseBase:
    """The form of an action; sent, it is done. With `fragment` only the form, for the dialog."""
    if name not in ACTIONS:
        raise Http404
    action, supplier = ACTIONS[name], supplier_of(request, pk)
    form = action.form(request.POST or None, initial={"assignee": request.user.pk}, auto_id=f"{name}-%s", label_suffix="")
    if form.is_valid() and carried_out(action, form, supplier=supplier.pk, by=signed_in(request)):
        days = {name: day(value) for name, value in form.cleaned_data.items() if isinstance(value, date)}
        messages.success(request, action.done.format(**days))
        return onwards(request, back(request, reverse("console:supplier", args=[pk])))
    template = "action_form" if "fragment" in request.GET else "action"
    about = {"form": form, "supplier": supplier, "action": name, "next": back(request, ""), "button": action.button}
    return page(request, template, title=f"{action.title}: {person(supplier)}", **about)


def carried_out(action: Action, form: forms.Form, *, supplier: int, by: User) -> bool:
    """Whether it could be done; else the form says why not."""
    try:
        action.run(supplier=supplier, by=by, at=clock.now(), **form.cleaned_data)
    except REFUSALS as refusal:
        form.add_error(None, refusal.__doc__ or str(refusal))
        return False
    return True


@console("success.add_note", methods=("POST",))
def wake(request: HttpRequest, pk: int) -> HttpResponseBase:
    """A snoozed supplier is back in the lists."""
    work.wake(supplier=supplier_of(request, pk).pk, at=clock.now())
    messages.success(request, "Back in the lists.")
    return HttpResponseRedirect(back(request, reverse("console:supplier", args=[pk])))


@console("success.change_task", methods=("POST",))
def done(request: HttpRequest, pk: int) -> HttpResponseBase:
    """A task is done."""
    task = task_of(request, pk)
    return ended(request, task, lambda: work.finish(task=task, by=signed_in(request), at=clock.now()), said=f"Done: {task.title}")


@console("success.change_task", methods=("POST",))
def drop(request: HttpRequest, pk: int) -> HttpResponseBase:
    """A task is given up, for a reason."""
    task, because = task_of(request, pk), request.POST.get("because", "").strip()[:200]
    if not because:
        messages.error(request, "Say why the task is dropped.")
        return HttpResponseRedirect(back(request, reverse("console:supplier", args=[task.supplier_id])))
    return ended(request, task, lambda: work.drop(task=task, because=because, by=signed_in(request), at=clock.now()), said=f"Dropped: {task.title}")


def ended(request: HttpRequest, task: Task, end: Callable[[], None], *, said: str) -> HttpResponseBase:
    try:
        end()
        messages.success(request, said)
    except work.AlreadyEnded:
        messages.info(request, "Somebody had ended this task already.")
    return HttpResponseRedirect(back(request, reverse("console:supplier", args=[task.supplier_id])))


def task_of(request: HttpRequest, pk: int) -> Task:
    found: Task = get_object_or_404(books.visible(Task.objects.all(), request.user, path="supplier__"), pk=pk)
    return found


def signed_in(request: HttpRequest) -> User:
    """Who asks; the console lets nobody else in."""
    return cast(User, request.user)


@console("health.add_override", methods=("POST",))
def end_override(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The computed level holds again."""
    try:
        overrides.end(supplier=supplier_of(request, pk).pk, by=signed_in(request), at=clock.now())
        messages.success(request, "The computed level holds again.")
    except overrides.NotAllowed as refusal:
        messages.error(request, str(refusal.__doc__))
    return HttpResponseRedirect(back(request, reverse("console:supplier", args=[pk])))
