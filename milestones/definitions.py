"""What a milestone's definition means to the database: thresholds that are watched, and who would have it if it read so."""

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import OperationalError, transaction

from milestones import measures
from milestones.models import Milestone, Threshold
from milestones.requirements import COUNTED, EVENT, FEATURE, SEGMENT, WHERE, Invalid, Measure, Requirement, Several, holds, is_counted, parse, sentence
from milestones.requirements import measures as measures_of
from success import catalogue, conditions, db, facts
from success.models import Supplier

TRIES = 5


class UnknownFeature(ValueError):
    """There is no such feature in the catalogue."""


def segment_of(milestone: Milestone) -> Measure | None:
    """Whose it is, where it is not everybody's."""
    return holds(milestone.segment.condition, SEGMENT) if milestone.segment else None


def takes(milestone: Milestone) -> Requirement:
    """What has to be met for it, to be one of its segment included."""
    own, segment = parse(milestone.requirement), segment_of(milestone)
    return Several(True, (segment, own)) if segment else own


def check(requirement: Requirement) -> None:
    """Its conditions ask for what is known, and its features are there; an event not seen before is entered in the catalogue.

    Raises:
        Invalid, UnknownFeature: it asks for something else.
    """
    for one in measures_of(requirement):
        if one.kind == WHERE:
            try:
                facts.condition(json.loads(one.of))
            except conditions.Invalid as error:
                raise Invalid(f"/where{error}") from None
    list(thresholds(requirement))


def in_words(requirement: Requirement) -> str:
    """What it takes as it reads after “takes”, conditions included."""
    return sentence(requirement, condition_in_words)


def condition_in_words(said: Any) -> str:
    known = facts.known()
    try:
        return conditions.sentence(conditions.parse(said, known), known)
    except conditions.Invalid:
        return "something that is no longer known"


def thresholds(requirement: Requirement) -> Iterator[tuple[Measure, int, bool]]:
    """The counters to watch, with the number each goes by, and whether one alone decides. An event not seen before is entered in the catalogue.

    Raises:
        UnknownFeature: it asks for one that there is not.
    """
    watched = [one for one in measures_of(requirement) if one.kind in COUNTED]
    catalogue.ids_of({one.of for one in watched if one.kind == EVENT})
    ids = measures.known_ids(watched)
    for one in watched:
        if one.kind == FEATURE and one.counter not in ids:
            raise UnknownFeature(f"There is no feature {one.of}.")
        yield one, ids.get(one.counter, 0), is_counted(requirement)


@transaction.atomic(durable=False)
def watch(milestone: Milestone) -> None:
    """The database watches what the milestone takes; nothing, while it is not active."""
    wanted = list(thresholds(takes(milestone))) if milestone.active else []
    Threshold.objects.filter(milestone=milestone).delete()
    Threshold.objects.bulk_create(
        (Threshold(milestone=milestone, kind=one.kind, of=of, n=one.target, counter=one.counter, whole=whole) for one, of, whole in wanted),
        ignore_conflicts=True,
    )


def define(milestone: Milestone, *, tries: int = TRIES) -> None:
    """The milestone reads as given, and is watched so, once no writer is left that counted by the old thresholds and has not committed.

    Who has it keeps it. Raises OperationalError where a writer took too long, several times.
    """
    try:
        with transaction.atomic():
            db.without_writers(patience="1s")
            milestone.save()
            watch(milestone)
    except OperationalError:
        if tries == 1:
            raise
        define(milestone, tries=tries - 1)


# ---------------------------------------------------------------- who would have it


@dataclass(frozen=True, slots=True)
class Gain:
    """How many suppliers would newly have a milestone, five of them, and how many have it already and keep it."""

    n: int
    some: list[Supplier]
    keep: int


LACKING = "not exists (select from milestones_achievement a where a.supplier_id = f.supplier_id and a.milestone_id = %(milestone)s)"


def lacking(requirement: Requirement, *, among: str = "true", since: bool = False, at: datetime) -> tuple[str, dict[str, Any]]:
    """The statement that finds who meets the requirement and has not got the milestone, if asked since when; and the parameters of its conditions."""
    asked = list(measures_of(requirement))
    terms = measures.terms(asked, at=at)
    told = f", {measures.since(requirement, terms)} as since" if since else ""
    sql = f"select f.supplier_id{told} from {measures.source(asked)} where ({among}) and {LACKING} and {measures.condition(requirement, terms)}"
    return sql, terms.params


def gain(requirement: Requirement, *, milestone: int | None, owner: int | None = None, at: datetime) -> Gain:
    """Who would newly have the milestone if it took this; of one owner's suppliers where one is named. Only reads."""
    among = "s.owner_id = %(owner)s" if owner else "true"
    params: dict[str, Any] = {"milestone": milestone or 0, "at": at, "owner": owner}
    sql, more = lacking(requirement, among=among, at=at)
    found = db.rows(f"select count(*) over (), x.supplier_id from ({sql}) x order by hashint8(x.supplier_id) limit 5", params | more)
    some = list(Supplier.objects.filter(pk__in=[supplier for _, supplier in found]).prefetch_related("contacts"))
    keep = db.rows(
        f"select count(*) from milestones_achievement a join success_supplier s on s.id = a.supplier_id where a.milestone_id = %(milestone)s and {among}",
        params,
    )
    return Gain(found[0][0] if found else 0, some, keep[0][0])


def meeting(
    requirement: Requirement, *, milestone: int, only: Collection[int] | None = None, after: int = 0, limit: int | None = None, at: datetime
) -> list[int]:
    """Suppliers who meet a requirement and have not got the milestone, in the order of their keys."""
    among = "f.supplier_id > %(after)s" + (" and f.supplier_id = any(%(only)s)" if only is not None else "")
    params = {"milestone": milestone, "at": at, "after": after, "only": list(only or ()), "limit": limit}
    sql, more = lacking(requirement, among=among, at=at)
    return [supplier for (supplier,) in db.rows(f"{sql} order by 1 limit %(limit)s", params | more)]
