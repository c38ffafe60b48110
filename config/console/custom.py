"""Filters for what a company declares of its own: the custom fields of suppliers."""

from functools import partial
from typing import Any

from django.db.models import QuerySet
from django.db.models.fields.json import KeyTextTransform
from django.http import HttpRequest

from config.console.filters import Choice, remembered
from success import books, catalogue, db

PREFIX = "custom."
MOST = 20  # values to choose among; of a field with more the value is typed
LOOKED_AT = 5_000  # suppliers, the newest: so that the values cost the same however many there are

FREQUENT = """
select key, value from (
    select key, value, row_number() over (partition by key order by count(*) desc, value) as place
    from (select custom from success_supplier where %(owner)s::integer is null or owner_id = %(owner)s order by id desc limit %(most)s) s, jsonb_each_text(custom)
    where key = any(%(names)s) and value <> '' group by key, value) x
where place <= %(shown)s order by key, place
"""


class CustomFilter(Choice):
    """An exact value of a custom field, chosen where it has few."""

    title = ""

    def __init__(self, field: str, *args: Any) -> None:
        self.field, self.title, self.parameter_name = field, field, PREFIX + field
        super().__init__(*args)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        values = remembered(request, "custom", frequent).get(self.field, [])
        return [(value, value) for value in values] if len(values) <= MOST else []

    def offered(self) -> list[tuple[str, str]]:
        return super().offered() if self.lookup_choices else []

    def sentence(self) -> str:
        return f"{self.field}: {self.value()}"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.alias(told=KeyTextTransform(self.field, "custom")).filter(told=self.value()) if self.value() else queryset


def fields() -> list[str]:
    return sorted(catalogue.current().custom_fields)


def filters() -> list[Any]:
    """One for each declared field."""
    return [partial(CustomFilter, field) for field in fields()]


def frequent(request: HttpRequest) -> dict[str, list[str]]:
    """By field the values of suppliers that the reader may see, the most frequent first."""
    found: dict[str, list[str]] = {}
    owner = request.user.pk if books.limited(request.user) else None
    for field, value in db.rows(FREQUENT, {"owner": owner, "most": LOOKED_AT, "names": fields(), "shown": MOST + 1}):
        found.setdefault(field, []).append(value)
    return found
