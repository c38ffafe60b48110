"""Suppliers from any page, by name, mail or id."""

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from unfold.dataclasses import SearchResult

from success import books
from success.models import Contact

MOST = 20


def found(request: HttpRequest, term: str) -> list[SearchResult]:
    """The suppliers the reader may see that go by these letters, for the admin's command palette."""
    if not request.user.has_perm("success.view_supplier"):
        return []
    known = Q(name__icontains=term) | Q(email__icontains=term) | Q(supplier__external_id__icontains=term)
    people = books.visible(Contact.objects.filter(known, is_primary=True), request.user, path="supplier__").select_related("supplier").order_by("name", "pk")
    return [
        SearchResult(
            title=person.name or person.supplier.external_id,
            description=f"{person.supplier.plan or 'supplier'} · {person.email or person.supplier.external_id}",
            link=reverse("console:supplier", args=[person.supplier_id]),
            icon="storefront",
        )
        for person in people[:MOST]
    ]
