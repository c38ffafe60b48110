"""What arrives with each key just now, and what becomes of it: for whoever makes the product send."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import F
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from config.console.pages import console, page
from success import arrivals, books, clock
from success.arrivals import Line
from success.logs import without_addresses
from success.models import ApiKey, Supplier


@console("success.view_source")
def arriving(request: HttpRequest) -> HttpResponseBase:
    """The last items of one key, newest first; with `fragment` only these, which the page asks for again and again."""
    keys = list(ApiKey.objects.select_related("source").order_by(F("last_used_at").desc(nulls_last=True), "-pk"))
    chosen = next((key for key in keys if str(key.pk) == request.GET.get("key")), keys[0] if keys else None)
    template = "arriving_lines" if "fragment" in request.GET else "arriving"
    shown = told(chosen, request) if chosen else {}
    stands = standing(chosen, at=clock.real())
    return page(request, template, title="Arriving", keys=keys, chosen=chosen, standing=stands, base_url=settings.BASE_URL, most=arrivals.MOST, **shown)


def told(key: ApiKey, request: HttpRequest) -> dict[str, Any]:
    """The lines this person may see, of one outcome or all, and how many there are of each."""
    found = arrivals.latest(key.pk)
    names = names_of(found or [], request.user)
    limited = books.limited(request.user)
    mine = [line for line in found or [] if not limited or line.supplier in names]
    counts = Counter(line.outcome for line in mine)
    asked = request.GET.get("outcome", "")
    return {
        "away": found is None,
        "limited": limited,
        "outcome": asked if asked in arrivals.OUTCOMES else "",
        "all": len(mine),
        "counts": [(outcome, counts[outcome]) for outcome in arrivals.OUTCOMES],
        "lines": [(line, names.get(line.supplier)) for line in mine if asked in ("", line.outcome)],
    }


def names_of(lines: Iterable[Line], reader: User | AnonymousUser) -> dict[int | None, str]:
    """The product's ids of the suppliers in these lines whom the reader may see; one that is an address stays hidden."""
    if not reader.has_perm("success.view_supplier"):
        return {}
    visible = books.visible(Supplier.objects.filter(pk__in={line.supplier for line in lines}), reader)
    return {pk: without_addresses(name) for pk, name in visible.values_list("pk", "external_id")}


def standing(key: ApiKey | None, *, at: datetime) -> str:
    """What keeps a key from sending, if anything does."""
    if key is None:
        return ""
    if key.revoked_at:
        return "It is revoked: nothing comes in with it any more."
    if key.expires_at and key.expires_at <= at:
        return "It has expired: nothing comes in with it any more."
    return "" if "ingest" in key.scopes else "It may not send: its scopes do not include ingest."
