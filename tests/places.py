"""Every address of the admin and the console, from the URL table and the admin's registry: a page added later is among them without a line here.

One that cannot be found that way fails, unless `HOW` says how it is reached.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.apps import apps
from django.contrib import admin
from django.db.models import ForeignKey, Model, QuerySet
from django.urls import URLPattern, get_resolver

from config.console.actions import ACTIONS
from success.models import DeadLetter, JobRun, SavedView, Supplier
from tests.test_routes import patterns

PART = re.compile(r"<(?:\w+:)?(\w+)>")
NO_PAGE = {
    "admin:None": "only leads on to a page that has a name",
    "admin:index": "is Today, which has the same address",
    "admin:view_on_site": "nothing of ours has an address on a site of its own",
    "admin:logout": "ends the test's own session",
    "admin:app_list": "is the address of an app's models, which the sidebar and no link of ours leads to",
}
# What an address asks for beyond a row: by route, the parts to try.
HOW: Mapping[str, Sequence[Mapping[str, object]]] = {
    "console:act": [{"name": name} for name in ACTIONS],
    "console:playbook_preview": [{"playbook": "first_weeks_quiet"}],
    "console:due_again": [{"model": "success.delivery"}],
    "console:due_drop": [{"model": "success.delivery"}],
    "console:colleague_act": [{"name": "invite"}],
    "console:welcome": [{"uidb64": "MQ", "token": "no-token"}],
}
# Pages that show more when they are asked for more.
ASKED: Mapping[str, Sequence[str]] = {
    "console:today": ["", "?whose=all", "?whose=unassigned"],
    "console:start": ["", "?fragment"],
    "console:act": ["", "?fragment"],
    "console:portfolio": ["", "?fragment", *(f"?by={value}&whole" for value in ("plan", "vertical", "signed_up"))],
    "console:milestones": ["", "?fragment", "?whole"],
    "admin:search": ["?s={word}&extended=1", "?s={word}"],
}
APPS = ("success", "health", "milestones", "interventions")
OURS = {model._meta.model_name + "s": model for app in APPS for model in apps.get_app_config(app).get_models() if model._meta.model_name}
OURS |= {"views": SavedView, "runs": JobRun, "dead-letters": DeadLetter}


@dataclass(frozen=True, slots=True)
class Place:
    """An address: the route it is of, and the view behind it."""

    route: str
    path: str
    view: Any


Rows = Callable[[type[Model]], QuerySet[Any]]


def of_book(suppliers: Sequence[Supplier]) -> Rows:
    """The rows of any model, as far as they are about suppliers those of these."""

    def rows(model: type[Model]) -> QuerySet[Any]:
        found: QuerySet[Any] = model._default_manager.order_by("pk")
        if model is Supplier:
            return found.filter(pk__in=[one.pk for one in suppliers])
        return found.filter(supplier__in=suppliers) if any(field.name == "supplier" for field in model._meta.fields) else found

    return rows


def routes() -> Iterator[tuple[str, str, URLPattern]]:
    """Name, address and pattern of every route of the admin and the console."""
    for namespace, route, pattern in patterns(get_resolver()):
        if namespace in ("admin", "console"):
            yield f"{namespace}:{pattern.name}", "/" + route, pattern


def places(rows: Rows, *, word: str = "berg", most: int = 1) -> list[Place]:
    """Every address there is, for up to `most` rows each."""
    found = [Place(name, path, pattern.callback) for name, route, pattern in routes() if name not in NO_PAGE for path in paths(name, route, rows, most)]
    return [Place(one.route, one.path + asked.format(word=word), one.view) for one in found for asked in asked_of(one.route)] + autocompletes(word)


def asked_of(route: str) -> Sequence[str]:
    if route.endswith("_changelist"):
        return ["?all=", "?q={word}"]
    return ASKED.get(route, [""])


def paths(name: str, route: str, rows: Rows, most: int) -> Iterator[str]:
    parts = PART.findall(route)
    if not parts:
        yield route
        return
    by_row = [part for part in parts if part in ("pk", "object_id")]
    model = model_of(route) if by_row else None
    tries = HOW.get(name, [{}])
    assert set(parts) == {*tries[0], *by_row} and (model or not by_row), f"{name} cannot be reached: say in HOW of {__name__} what {parts} of {route} are"
    keys = list(rows(model).values_list("pk", flat=True)[:most]) if model else [""]
    assert keys, f"{name} cannot be reached: let tests.worlds make a {model and model.__name__}"
    for key in keys:
        for given in tries:
            yield PART.sub(lambda part: str(given.get(part[1], key)), route)  # noqa: B023 - used at once


def model_of(route: str) -> type[Model] | None:
    """Whose row an address is about: that of the admin's page, or the noun after /admin/."""
    _, _, first, *rest = route.split("/")
    for model in admin.site._registry:
        if (first, rest[0]) == (model._meta.app_label, model._meta.model_name):
            return model
    return OURS.get(first)


def autocompletes(word: str) -> list[Place]:
    """What a field of a form could be asked to complete."""
    found = []
    for model in apps.get_models():
        for field in model._meta.fields:
            remote = admin.site._registry.get(field.related_model) if isinstance(field, ForeignKey) else None
            if remote and remote.search_fields:
                about = {"app_label": model._meta.app_label, "model_name": model._meta.model_name, "field_name": field.name, "term": word}
                found.append(Place("admin:autocomplete", f"/admin/autocomplete/?{urlencode(about)}", None))
    return found
