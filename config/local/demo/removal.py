"""Takes the demo's rows away, and no others: its suppliers with all that hangs on them, wherever the models say so."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from graphlib import TopologicalSorter
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import CASCADE, ForeignKey, Model

from config.local.demo import staff
from config.local.demo.days import traits_id
from config.local.demo.source import alone
from config.local.demo.world import HISTORY, days
from interventions import playbooks
from interventions.models import Playbook
from success import catalogue, db
from success.messages import digest_of
from success.models import Activity, ApiKey, MessageKey, Source, Supplier

Counts = dict[str, int]
COMPANY = "company"  # the custom field that the demo declares
BROUGHT = "Brought by the demo."
DAY = timedelta(days=1)
# The keys are found by the activity; what identifies leaves none, so its keys are computed again.
KEYS = "digest in (select message from success_activity where supplier_id = any(%(ids)s) union all select unnest(%(digests)s::uuid[]))"
COMPANY_PAST = "delete from success_customfieldpast where name = %(company)s and description = %(brought)s"
SWITCHED = "delete from interventions_playbookpast where pgh_context is null and pgh_created_at >= %(since)s"  # by nobody: by the demo
COMPANY_UNUSED = """name = %(company)s and description = %(brought)s
    and not exists (select 1 from success_supplier where custom ? %(company)s and id <> all(%(ids)s))"""


def hanging() -> dict[str, str]:
    """The tables whose rows go with their suppliers, those of others' rows first; and which of their rows those are, in SQL."""
    conditions: dict[type[Model], str] = {Supplier: "id = any(%(ids)s)"}
    found: list[type[Model]] = [Supplier]
    for parent in found:  # grows as it goes
        for child, field in children(parent):
            if child not in conditions:
                conditions[child] = f"{field.column} in (select {field.target_field.column} from {parent._meta.db_table} where {conditions[parent]})"
                found.append(child)
    order: TopologicalSorter[type[Model]] = TopologicalSorter({parent: {child for child, _ in children(parent)} - {parent} for parent in found})
    return {model._meta.db_table: conditions[model] for model in order.static_order()}


def children(parent: type[Model]) -> Iterator[tuple[type[Model], ForeignKey[Model, Model]]]:
    for relation in parent._meta.get_fields(include_hidden=True):
        if relation.auto_created and not relation.concrete and getattr(relation, "on_delete", None) is CASCADE:
            yield relation.related_model, relation.field  # type: ignore[misc, union-attr]


def tables() -> list[str]:
    """Every table that the demo fills."""
    return [MessageKey._meta.db_table, Activity._meta.db_table, *hanging()]


# ---------------------------------------------------------------- which rows


def what_goes(ids: Sequence[int], source: Source, *, at: datetime) -> tuple[list[tuple[str, str]], dict[str, object]]:
    """Tables and conditions, in the order in which they are emptied, with the parameters of the conditions."""
    tables = [(MessageKey._meta.db_table, KEYS), (Activity._meta.db_table, "supplier_id = any(%(ids)s)"), *hanging().items()]
    return tables, {"ids": list(ids), "digests": trait_keys(ids, source, at=at)}


def trait_keys(ids: Sequence[int], source: Source, *, at: datetime) -> list[UUID]:
    """Keys of all the messages about accounts that the source can have sent by now."""
    span = list(days((source.created_at - HISTORY - DAY).date(), (at + DAY).date()))
    names = Supplier.objects.filter(pk__in=ids).values_list("external_id", flat=True)
    return [UUID(bytes=digest_of(source.pk, traits_id(name, day))) for name in names for day in span]


def suppliers_of(source: Source) -> list[int]:
    return list(Supplier.objects.filter(source=source).order_by("pk").values_list("pk", flat=True))


def count(*, at: datetime) -> Counts:
    """How many rows of each table a removal takes away."""
    counts: Counts = {}
    with db.patient():
        for source in Source.objects.filter(is_demo=True):
            ids = suppliers_of(source)
            tables, params = what_goes(ids, source, at=at)
            add(counts, {table: db.rows(f"select count(*) from {table} where {where}", params)[0][0] for table, where in tables})
            add(counts, {"success_source": 1, "success_apikey": source.keys.count()})
            add(counts, {"success_customfield": db.rows(f"select count(*) from success_customfield where {COMPANY_UNUSED}", company(ids))[0][0]})
        add(counts, {"auth_user": len(staff.ours())})
    return {table: n for table, n in counts.items() if n}


def add(counts: Counts, more: Counts) -> None:
    for table, n in more.items():
        counts[table] = counts.get(table, 0) + n


def company(ids: Iterable[int]) -> dict[str, object]:
    return {"company": COMPANY, "brought": BROUGHT, "ids": list(ids)}


# ---------------------------------------------------------------- taking them away


def remove(*, at: datetime) -> Counts:
    """The demo is gone, with each of its rows; says how many of each table.

    Raises:
        Busy: the demo is being loaded or played.
    """
    with alone():
        return remove_all(at=at)


def remove_all(*, at: datetime) -> Counts:
    """All demos are gone, also one whose load died half-way. The caller has made sure to be alone."""
    counts: Counts = {}
    with db.patient():
        for source in Source.objects.filter(is_demo=True):
            for playbook in Playbook.objects.on():  # what reached out to invented people does not go on to real ones
                playbooks.switch(playbook, on=False, at=at)
            db.execute(SWITCHED, {"since": source.created_at})
            ids = suppliers_of(source)
            add(counts, remove_suppliers(ids, source, at=at))
            add(counts, {"success_customfield": db.execute(f"delete from success_customfield where {COMPANY_UNUSED}", company(ids))})
            db.execute(COMPANY_PAST, company(ids))
            keys = ApiKey.objects.filter(source=source).delete()[1]
            add(counts, {"success_apikey": keys.get("success.ApiKey", 0), "success_source": source.delete()[1]["success.Source"]})  # not their history
        managers = staff.ours()
        get_user_model().objects.filter(pk__in=managers).delete()
        add(counts, {"auth_user": len(managers)})
    catalogue.forget()
    return {table: n for table, n in counts.items() if n}


def remove_suppliers(ids: Sequence[int], source: Source, *, at: datetime) -> Counts:
    """These suppliers are gone with all that hangs on them. (Keys first: they are found by the activity.)"""
    db.rows("select 1 from success_supplier where id = any(%s) order by id for update", [list(ids)])
    tables, params = what_goes(ids, source, at=at)
    return {table: db.execute(f"delete from {table} where {where}", params) for table, where in tables}
