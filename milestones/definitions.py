"""What a milestone's definition means to the database: thresholds that are watched, and who would have it if it read so."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import OperationalError, transaction

from milestones import measures
from milestones.models import Milestone, Threshold
from milestones.requirements import COUNTED, EVENT, FEATURE, Measure, Requirement, is_counted, parse
from milestones.requirements import measures as measures_of
from success import catalogue, db
from success.models import Supplier

TRIES = 5


class UnknownFeature(ValueError):
    """There is no such feature in the catalogue."""


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
    wanted = list(thresholds(parse(milestone.requirement))) if milestone.active else []
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


def lacking(requirement: Requirement, *, among: str = "true", since: bool = False) -> str:
    """The statement that finds who meets the requirement and has not got the milestone; if asked, since when."""
    asked = list(measures_of(requirement))
    ids = measures.known_ids(asked)
    told = f", {measures.since(requirement, ids)} as since" if since else ""
    return f"select f.supplier_id{told} from {measures.source(asked)} where ({among}) and {LACKING} and {measures.condition(requirement, ids)}"


def gain(requirement: Requirement, *, milestone: int | None, owner: int | None = None, at: datetime) -> Gain:
    """Who would newly have the milestone if it took this; of one owner's suppliers where one is named. Only reads."""
    among = "s.owner_id = %(owner)s" if owner else "true"
    params = {"milestone": milestone or 0, "at": at, "owner": owner}
    found = db.rows(f"select count(*) over (), x.supplier_id from ({lacking(requirement, among=among)}) x order by hashint8(x.supplier_id) limit 5", params)
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
    return [supplier for (supplier,) in db.rows(f"{lacking(requirement, among=among)} order by 1 limit %(limit)s", params)]
