"""Milestones as they are defined, with who would gain from a changed definition before it is saved."""

from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db import OperationalError, transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse

from config.console.pages import page
from config.console.templatetags.words import person
from milestones import definitions, reconciling
from milestones.admin import MilestoneAdmin
from milestones.definitions import Gain
from milestones.models import Milestone
from milestones.requirements import parse
from success import books, clock, db

PATIENCE = "4s"
DECIDING = {"requirement", "segment", "active"}  # who has it
AT_ONCE = 10_000  # suppliers who have it as soon as it is saved; more have it after the night


@admin.register(Milestone)
class Definitions(MilestoneAdmin):
    """Between the form and the save of another requirement stands who would gain."""

    def changeform_view(self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None) -> HttpResponseBase:
        asked = self.asked(request, object_id) if request.method == "POST" and "sure" not in request.POST else None
        if asked:
            return who_would_gain(request, asked)
        answer: HttpResponseBase = super().changeform_view(request, object_id, form_url, extra_context)
        return answer

    def asked(self, request: HttpRequest, object_id: str | None) -> Milestone | None:
        """The milestone as it is to be, where it would be reached otherwise than now."""
        milestone = self.get_object(request, object_id) if object_id else None
        if not (self.has_change_permission(request, milestone) if milestone else not object_id and self.has_add_permission(request)):
            return None
        form = self.get_form(request, milestone, change=milestone is not None)(request.POST, instance=milestone)
        return form.instance if form.is_valid() and form.instance.active and DECIDING & {*form.changed_data, *([] if milestone else ["active"])} else None

    def save_model(self, request: HttpRequest, obj: Milestone, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if obj.active and DECIDING & set(form.changed_data):
            transaction.on_commit(partial(give, request, obj))


def give(request: HttpRequest, milestone: Milestone) -> None:
    """Who meets it already has it, silently: the day it was defined is no reason to celebrate."""
    seen = gain(milestone)
    if seen is None or seen.n > AT_ONCE:
        messages.info(request, "Those who have got there already have it after tonight's recount.")
        return
    given = reconciling.reconcile(at=clock.now(), grant=reconciling.SILENTLY, among=[milestone])
    messages.success(
        request, f"{given} supplier{'s' if given != 1 else ''} had got there already and now {'have' if given != 1 else 'has'} it, without a celebration."
    )


def who_would_gain(request: HttpRequest, milestone: Milestone) -> TemplateResponse:
    """How many, and five of them; saved is nothing yet."""
    typed = [(name, value) for name, values in request.POST.lists() for value in values if name != "csrfmiddlewaretoken"]
    before = Milestone.objects.filter(pk=milestone.pk).first()
    was = said(before) if before else ""
    about = {"milestone": milestone, "was": was, "becomes": said(milestone), "typed": typed}
    seen = gain(milestone, owner=request.user.pk if books.limited(request.user) else None)
    some = [(one.pk, person(one)) for one in seen.some] if seen else []
    return page(request, "definition", title=f"Who would have it: {milestone.name}", seen=seen, some=some, **about)


def said(milestone: Milestone) -> str:
    whose = f", of “{milestone.segment}” only" if milestone.segment else ""
    return definitions.in_words(parse(milestone.requirement)) + whose


def gain(milestone: Milestone, owner: int | None = None) -> Gain | None:
    """None where it takes too long to find out."""
    try:
        with transaction.atomic():
            db.rows("select set_config('statement_timeout', %s, true)", [PATIENCE])
            return definitions.gain(definitions.takes(milestone), milestone=milestone.pk, owner=owner, at=clock.now())
    except OperationalError:
        return None
