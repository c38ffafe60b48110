"""Views of the list of suppliers: saved under a name, shared, renamed, and deleted."""

from collections.abc import Collection, Mapping
from datetime import datetime

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL

from success import books
from success.models import SavedView


class NameTaken(Exception):
    """There is a view of this name already. Choose another."""


class NotYours(Exception):
    """A view is its maker's; one that is shared a lead may change too."""


def open_to(user: User) -> QuerySet[SavedView]:
    """The views this person made, and those that others share; for who keeps to their own book only their own: a view may be named after a supplier."""
    return SavedView.objects.filter(Q(owner=user) if books.limited(user) else Q(owner=user) | Q(shared=True))


@transaction.atomic
def save(*, name: str, query: Mapping[str, str], shared: bool, opens_first: bool, by: User, at: datetime) -> SavedView:
    """The view stands for this query; one that its maker has of this name gives way."""
    User.objects.select_for_update().get(pk=by.pk)  # of two at once the later one opens first
    if opens_first:
        SavedView.objects.filter(owner=by).update(opens_first=False)
    said = {"query": dict(query), "shared": shared, "opens_first": opens_first, "at": at}
    return SavedView.objects.update_or_create(owner=by, name=name, defaults=said)[0]


@transaction.atomic
def change(view: SavedView, *, name: str, shared: bool, opens_first: bool, by: User) -> None:
    """The view goes by this name, and is shared or not. Raises NotYours, NameTaken."""
    refuse_others(view, by)
    User.objects.select_for_update().get(pk=view.owner_id)
    mine = view.owner_id == by.pk
    if opens_first and mine:
        SavedView.objects.filter(owner=by).exclude(pk=view.pk).update(opens_first=False)
    said = {"name": name, "shared": shared} | ({"opens_first": opens_first} if mine else {})
    try:
        with transaction.atomic():
            SavedView.objects.filter(pk=view.pk).update(**said)
    except IntegrityError:
        raise NameTaken from None


def delete(view: SavedView, *, by: User) -> None:
    """The view is gone, for all it was shared with. Raises NotYours."""
    refuse_others(view, by)
    view.delete()


def may_change(view: SavedView, user: User) -> bool:
    return view.owner_id == user.pk or (view.shared and user.has_perm("success.change_any_savedview"))


def refuse_others(view: SavedView, by: User) -> None:
    if not may_change(view, by):
        raise NotYours


def first_of(user: User) -> SavedView | None:
    """The view that this person wants to begin with, if they chose one."""
    return SavedView.objects.filter(owner=user.pk, opens_first=True).first()


# Whole words alone: an id may be "trial", and a view about those on trial.
NAMING = """select v.id from success_savedview v, lateral (values (lower(v.name)), (lower(v.query ->> 'q'))) typed (words)
    where exists (select 1 from unnest(%s::text[]) word where words = lower(word) or strpos(' ' || words || ' ', ' ' || lower(word) || ' ') > 0)"""


def forget_supplier(words: Collection[str]) -> int:
    """Views that are named after, or search for, one of these ids, names or addresses are gone."""
    return SavedView.objects.filter(pk__in=RawSQL(NAMING, [[word for word in words if word]])).delete()[0]  # noqa: S611 - a constant
