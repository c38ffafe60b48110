"""Suppliers as a spreadsheet takes them."""

import csv
from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase

from config.console import custom, listing
from config.console.pages import console
from success.admin.suppliers import stage_of
from success.models import Supplier

HEADINGS = (
    "id",
    "name",
    "mail",
    "status",
    "stage",
    "level",
    "score",
    "plan",
    "vertical",
    "mrr",
    "currency",
    "owner",
    "created_at",
    "trial_ends_at",
    "renews_at",
)


@console("success.view_supplier")
def everything(request: HttpRequest) -> HttpResponseBase:
    """All suppliers of the list as its address says it, whatever page one is on."""
    try:
        return as_file(admin.site.get_model_admin(Supplier).get_changelist_instance(request).queryset)
    except IncorrectLookupParameters:
        return HttpResponseRedirect(listing.link({}))


def as_file(queryset: QuerySet[Any]) -> StreamingHttpResponse:
    headers = {"Content-Disposition": 'attachment; filename="suppliers.csv"'}
    return StreamingHttpResponse(lines(queryset), content_type="text/csv; charset=utf-8", headers=headers)


class Echo:
    """What a CSV writer writes to, one line at a time."""

    def write(self, line: str) -> str:
        return line


def lines(queryset: QuerySet[Any]) -> Iterator[str]:
    writer, own = csv.writer(Echo()), custom.fields()
    yield writer.writerow(harmless((*HEADINGS, *own)))
    for supplier in queryset.select_related("facts", "owner", "assessment").prefetch_related("contacts").iterator(chunk_size=2000):
        yield writer.writerow(harmless((*row(supplier), *(supplier.custom.get(name) for name in own))))


def row(supplier: Supplier) -> tuple[object, ...]:
    people = sorted(supplier.contacts.all(), key=lambda person: not person.is_primary)
    name, mail = (people[0].name, people[0].email) if people else ("", "")
    score = supplier.assessment.score if hasattr(supplier, "assessment") else None
    owner = supplier.owner.get_username() if supplier.owner else ""
    level, dates = getattr(supplier, "effective_level", None), (supplier.created_at, supplier.trial_ends_at, supplier.renews_at)
    about = (supplier.plan, supplier.vertical, supplier.mrr, supplier.currency, owner)
    return (supplier.external_id, name, mail, supplier.status, stage_of(supplier), level, score, *about, *(at and at.isoformat() for at in dates))


def harmless(values: Iterable[object]) -> list[object]:
    """Cells that a spreadsheet does not take for formulas (OWASP, CSV injection)."""
    return [f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else "" if value is None else value for value in values]
