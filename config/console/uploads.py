"""Customers from a file: uploaded, its columns chosen, looked at, imported with progress, and what was not taken to download."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse

from config.console.actions import signed_in
from config.console.pages import console, page
from success import clock
from success.imports import uploads
from success.imports.files import Unreadable
from success.imports.suppliers import BUILT_IN, ID
from success.models import CustomField, Source, Upload

REFUSALS = (uploads.TooLarge, uploads.NoId)
LATEST = 10


class UploadForm(forms.Form):
    file = forms.FileField(
        label="A CSV file whose first line names the columns", widget=forms.FileInput(attrs={"accept": ".csv,text/csv", "class": "cs-input"})
    )


def why(refusal: Exception) -> str:
    return str(refusal) or str(refusal.__doc__)


@console("success.add_upload", methods=("GET", "POST"))
def upload(request: HttpRequest) -> HttpResponseBase:
    """A form for a file, and the latest that were uploaded."""
    form = UploadForm(request.POST or None, request.FILES or None, label_suffix="")
    if form.is_valid():
        source, _ = Source.objects.get_or_create(name="uploads")
        file = form.cleaned_data["file"]
        try:
            made = uploads.receive(name=file.name, content=file.read(uploads.LARGEST + 1), source=source, by=signed_in(request), at=clock.now())
            return HttpResponseRedirect(reverse("console:upload", args=[made.pk]))
        except (Unreadable, *REFUSALS) as refusal:
            form.add_error("file", why(refusal))
    latest = Upload.objects.defer("content", "rejects").select_related("by").order_by("-pk")[:LATEST]
    return page(request, "uploads", title="Upload customers", form=form, latest=latest)


@console("success.add_upload", methods=("GET", "POST"))
def one(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Before it is imported: which column is what, and how the first lines read. Afterwards: what became of it."""
    found = get_object_or_404(Upload, pk=pk)
    if request.method == "POST" and not found.place:
        found.columns = {trait: column for trait, column in request.POST.items() if trait in traits()}
        found.save(update_fields=["columns"])
        return HttpResponseRedirect(request.path)
    return page(request, "upload", title=found.name, upload=found, **({} if found.finished_at else look(request, found)))


def look(request: HttpRequest, found: Upload) -> dict[str, Any]:
    columns = uploads.file_of(found).columns
    chosen = [(trait, found.columns.get(trait, "")) for trait in traits()]
    try:
        seen = uploads.preview(found)
    except (Unreadable, *REFUSALS) as refusal:
        messages.error(request, why(refusal))
        seen = None
    shown = [trait for trait, column in chosen if column and trait != ID]
    rows = [(row.supplier, [row.traits.get(trait, (row.traits.get("custom") or {}).get(trait, "")) for trait in shown]) for row in seen.rows] if seen else []
    return {"columns": columns, "chosen": chosen, "preview": seen, "shown": shown, "rows": rows}


def traits() -> list[str]:
    """All that a column may be."""
    return [ID, *BUILT_IN, "last_sign_in_at", *CustomField.objects.order_by("name").values_list("name", flat=True)]


@console("success.add_upload", methods=("POST",))
def take(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The next lines are imported; the page asks again until all are."""
    get_object_or_404(Upload.objects.only("pk"), pk=pk)
    try:
        found = uploads.take_next(pk, at=clock.now())
    except (Unreadable, *REFUSALS) as refusal:
        messages.error(request, why(refusal))
        return HttpResponseRedirect(reverse("console:upload", args=[pk]))
    return page(request, "upload_progress", title=found.name, upload=found)


@console("success.add_upload")
def rejects(request: HttpRequest, pk: int) -> HttpResponse:
    """The lines that were not taken, each with the reason."""
    found = get_object_or_404(Upload, pk=pk)
    return HttpResponse(found.rejects, content_type="text/csv; charset=utf-8", headers={"Content-Disposition": 'attachment; filename="rejects.csv"'})
