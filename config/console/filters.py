"""Ways to narrow the list of suppliers; their names stand in addresses, so that other pages link to a list."""

from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.http import HttpRequest

from config.console.templatetags.words import words
from health.effective import LEVEL, OVERRIDDEN
from success import clock
from success.stages import STAGES, stage_sql

FROM = f"from success_supplier s join success_facts f on f.supplier_id = s.id left join health_assessment a on a.supplier_id = s.id {OVERRIDDEN}"


def where(queryset: QuerySet[Any], condition: str, *params: object) -> QuerySet[Any]:
    """Of suppliers those that a condition over the tables of the lists holds for; its instants are now."""
    sql = f"select s.id {FROM} where {condition}"
    at = clock.now()
    return queryset.filter(pk__in=RawSQL(sql.replace("%(at)s", "%s"), [*[at] * sql.count("%(at)s"), *params]))  # noqa: S611 - constants


class Choice(admin.SimpleListFilter):
    """A choice among keys that read as words."""

    keys: ClassVar[tuple[str, ...]] = ()

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(key, words(key)) for key in self.keys]


class LevelFilter(Choice):
    title, parameter_name, keys = "level", "level", ("critical", "at_risk", "healthy", "none")

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value == "none":
            return where(queryset, f"f.in_service and ({LEVEL}) is null")
        return where(queryset, f"f.in_service and ({LEVEL}) = %s", value) if value else queryset


class StageFilter(Choice):
    title, parameter_name, keys = "stage", "stage", STAGES

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return where(queryset, f"{stage_sql('%(at)s')} = %s", self.value()) if self.value() else queryset


class OwnerFilter(admin.SimpleListFilter):
    title, parameter_name = "owner", "owner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        people = get_user_model().objects.filter(suppliers__isnull=False).distinct().order_by("username")
        return [("mine", "me"), ("none", "nobody"), *((user.username, user.get_full_name() or user.username) for user in people)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case None:
                return queryset
            case "mine":
                return queryset.filter(owner=request.user.pk)
            case "none":
                return queryset.filter(owner=None)
            case name:
                return queryset.filter(owner__username=name)


class DecliningFilter(Choice):
    title, parameter_name, keys = "signs", "signs", ("declining", "left_out")

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "declining":
                return where(queryset, "f.in_service and a.declining")
            case "left_out":
                return where(queryset, "not f.in_service")
        return queryset
