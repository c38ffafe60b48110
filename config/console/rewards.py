"""Rewards and achievements in the hands of our own people: the ledger, word about what is on its way, and taking an achievement back."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse

from config.console.actions import signed_in
from config.console.pages import back, console, page
from milestones import achievements, ledger, rewards
from milestones.models import Achievement, Grant
from success import books, clock


@console("milestones.view_grant")
def overview(request: HttpRequest) -> HttpResponseBase:
    """What was given of each reward, beside its limits; what ends soon, and what waits."""
    at = clock.now()
    about = {"lines": ledger.lines(request.user), "expiring": ledger.expiring(request.user, at=at), "waiting": ledger.waiting(request.user)}
    return page(request, "rewards", title="Rewards", soon=ledger.SOON.days, limited=books.limited(request.user), **about)


@console("milestones.settle_grant", methods=("POST",))
def settle(request: HttpRequest, pk: int) -> HttpResponseBase:
    """One of us says what became of a reward that was on its way."""
    grant = get_object_or_404(books.visible(Grant.objects.all(), request.user, path="supplier__"), pk=pk)
    done = request.POST.get("done") == "yes"
    try:
        rewards.confirm(supplier=grant.supplier_id, grant=grant.public_id, done=done, by=signed_in(request), at=clock.now())
        messages.success(request, "It is written down as done." if done else "It is written down as refused.")
    except (rewards.NotHers, rewards.NotPending):
        messages.info(request, "Somebody had said so already.")
    return HttpResponseRedirect(back(request, reverse("console:rewards")))


@console("milestones.revoke_achievement", methods=("POST",))
def revoke(request: HttpRequest, pk: int) -> HttpResponseBase:
    """An achievement is taken back, for a reason."""
    found = get_object_or_404(books.visible(Achievement.objects.all(), request.user, path="supplier__"), pk=pk)
    try:
        achievements.revoke(achievement=found.pk, because=request.POST.get("because", ""), by=signed_in(request), at=clock.now())
        messages.success(request, "The achievement is taken back, and its reward with it.")
    except (achievements.NoReason, achievements.NotHers) as refusal:
        messages.error(request, str(refusal.__doc__))
    return HttpResponseRedirect(back(request, reverse("console:supplier", args=[found.supplier_id])))
