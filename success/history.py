"""Who changed what, when, and what it was before, of anything that a person can edit."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import models
from pghistory.core import event_models

from success import db
from success.colleagues import called

MOST = 200  # changes on a page
WHAT = {"insert": "made", "update": "changed", "delete": "deleted"}  # any other label names the field that changed: its values are not kept
# A row of the past holds what was before its change; what came after it stands in the next one, or in the row itself.
CHANGES = """
select p.pgh_obj_id, p.pgh_created_at, p.pgh_label, (p.pgh_context ->> 'user')::integer, coalesce(p.pgh_context ->> 'through', ''), (
    select jsonb_object_agg(k.key, jsonb_build_array(p.before -> k.key, p.after -> k.key)) from jsonb_object_keys(p.before) k (key)
    where p.pgh_label = 'update' and k.key not like 'pgh\\_%%' and p.before -> k.key is distinct from p.after -> k.key
)
from (
    select h.*, to_jsonb(h) as before, coalesce(
        lead(to_jsonb(h)) over (partition by h.pgh_obj_id order by h.pgh_id),
        (select to_jsonb(n) from {past} n where n.pgh_obj_id = h.pgh_obj_id and n.pgh_id > h.pgh_id order by n.pgh_id limit 1),
        to_jsonb(t)
    ) as after
    from unnest(%(keys)s::bigint[]) o (key) cross join lateral (
        select * from {past} where pgh_obj_id = o.key and pgh_created_at < %(before)s order by pgh_id desc limit %(most)s
    ) h left join {live} t on t.{key} = h.pgh_obj_id
) p
order by p.pgh_created_at desc, p.pgh_id desc limit %(most)s
"""
Names = dict[type[models.Model], dict[Any, Any]]


@dataclass(frozen=True, slots=True)
class Step:
    """One field before and after; without values where they are personal, and so not kept."""

    field: str
    before: Any = None
    after: Any = None
    kept: bool = True


@dataclass(frozen=True, slots=True)
class Change:
    """What was done to a row at once: `made`, `changed` or `deleted`. `by` is one of us; `through` what else it came by, "" where nobody said."""

    at: datetime
    what: str
    by: User | None
    through: str = ""
    steps: tuple[Step, ...] = ()
    key: Any = None  # of the row


class NotRemembered(Exception):
    """Of this model former rows are not kept."""


def past_of(model: type[models.Model]) -> type[models.Model]:
    """The table that remembers a model's former rows. Raises NotRemembered."""
    for past in event_models(tracks_model=model):
        return past
    raise NotRemembered(model._meta.label)


def changes(model: type[models.Model], keys: Collection[Any], *, before: datetime, most: int = MOST) -> list[Change]:
    """The changes of these rows up to an instant, the latest first. Raises NotRemembered."""
    model = model._meta.concrete_model or model
    sql = CHANGES.format(past=past_of(model)._meta.db_table, live=model._meta.db_table, key=model._meta.pk.column)
    rows = db.rows(sql, {"keys": list(keys), "before": before, "most": most})
    diffs = [json.loads(diff or "{}") for *_, diff in rows]
    people, names = User.objects.in_bulk({by for *_, by, _, _ in rows if by}), named(model, diffs)
    return [
        Change(at, WHAT.get(label, "changed"), people.get(by), through, tuple(steps(model, label, diff, names)), key)
        for (key, at, label, by, through, _), diff in zip(rows, diffs, strict=True)
    ]


def steps(model: type[models.Model], label: str, diff: Mapping[str, Any], names: Names) -> Iterator[Step]:
    if label not in WHAT:
        yield Step(label.replace("_", " "), kept=False)
    for field in model._meta.concrete_fields:
        if str(field.column) in diff:
            before, after = diff[str(field.column)]
            if isinstance(field, models.JSONField):
                yield from inner_steps(before or {}, after or {})
            else:
                yield Step(str(field.verbose_name), said(field, before, names), said(field, after, names))


def inner_steps(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Step]:
    """Of fields kept together those that changed."""
    for name in sorted({*before, *after}):
        if before.get(name) != after.get(name):
            yield Step(name, before.get(name), after.get(name))


def named(model: type[models.Model], diffs: Collection[Mapping[str, Any]]) -> Names:
    """The rows of other tables that the changes point to, read once."""
    found: Names = {}
    for field in model._meta.concrete_fields:
        if field.related_model and (keys := {key for diff in diffs for key in diff.get(str(field.column), ()) if key is not None}):
            found[field.related_model] = field.related_model._default_manager.in_bulk(keys)
    return found


def said(field: "models.Field[Any, Any]", value: Any, names: Names) -> Any:
    """A stored value as people read it: another row by its name, a choice by its words, an instant as one."""
    if value in (None, "", []):
        return None
    if field.related_model:
        row = names[field.related_model].get(value)
        return called(row) if isinstance(row, User) else str(row or "one that is gone")
    if isinstance(field, models.DateTimeField):
        return datetime.fromisoformat(value)
    return ", ".join(map(str, value)) if isinstance(value, list) else dict(field.flatchoices).get(value, value)
