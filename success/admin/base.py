"""What the admin's pages share."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Field
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin as UnfoldAdmin
from unfold.admin import TabularInline

from success import books, clock, history


class ModelAdmin(UnfoldAdmin):
    """A page of the admin whose "History" says who changed what, when, before and after."""

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponseBase:
        found = self.get_object(request, object_id)
        if found is None:
            return HttpResponseRedirect(reverse("admin:index"))
        if not self.has_view_or_change_permission(request, found):
            raise PermissionDenied
        about = {"title": f"History of {found}", "object": found, "opts": self.opts, "changes": self.changes_of(found)}
        return TemplateResponse(request, "admin/history.html", {**self.admin_site.each_context(request), **about, **(extra_context or {})})

    def changes_of(self, found: Any) -> list[history.Change]:
        """What the page lists, the latest first."""
        try:
            return history.changes(type(found), [found.pk], before=clock.now())
        except history.NotRemembered:
            return []


class OfSuppliers(ModelAdmin):
    """Rows about suppliers: who keeps to their own book sees no others, in lists, search, export or history."""

    supplier_path = "supplier__"

    def get_queryset(self, request: HttpRequest) -> Any:
        return books.visible(super().get_queryset(request), request.user, path=self.supplier_path)

    def get_list_display(self, request: HttpRequest) -> list[str]:
        return ["who" if column == "supplier" else column for column in super().get_list_display(request)]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        found = super().get_changelist_instance(request)
        if "who" in found.list_display:
            found.result_list = found.result_list.prefetch_related("supplier__contacts")
        return found

    @admin.display(description="supplier", ordering="supplier__external_id", empty_value="-")
    def who(self, row: Any) -> str | None:
        """The name of the person to speak to, else the product's id."""
        people = sorted(row.supplier.contacts.all(), key=lambda one: not one.is_primary) if row.supplier else []
        return (people[0].name if people else "") or (row.supplier and row.supplier.external_id)


class ValuesFilter(admin.AllValuesFieldListFilter):
    """The values that the rows of the list have: of a field of another model, Django would offer those of everybody."""

    def __init__(self, field: "Field[Any, Any]", request: HttpRequest, params: Any, model: Any, model_admin: Any, field_path: str) -> None:
        super().__init__(field, request, params, model, model_admin, field_path)
        self.lookup_choices = model_admin.get_queryset(request).order_by(field_path).values_list(field_path, flat=True).distinct()


class ReadOnly:
    """Written by the system alone: nobody adds, changes or deletes."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyAdmin(ReadOnly, ModelAdmin):
    show_full_result_count = False


class ReadOnlyInline(ReadOnly, TabularInline):
    extra = 0
    show_change_link = False


def table(head: tuple[str, ...], rows: Any) -> SafeString:
    """A small table; every cell is escaped."""
    body = [format_html_join("", '<td class="px-3 py-1">{}</td>', ((cell,) for cell in row)) for row in rows]
    if not body:
        return format_html("<p>{}</p>", "Nothing yet.")
    heads = format_html_join("", '<th class="px-3 py-1 text-left">{}</th>', ((cell,) for cell in head))
    return format_html(
        '<div class="overflow-x-auto"><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>',
        heads,
        format_html_join("", "<tr>{}</tr>", ((row,) for row in body)),
    )
