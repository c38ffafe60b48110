"""Ways to narrow the list of suppliers that the board links to."""

from functools import cached_property
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet

from config.console.board import patience
from config.console.filters import found_by
from config.console.portfolio_filters import Linked
from milestones import board
from milestones.models import Milestone
from success import clock


class MilestoneFilter(Linked):
    """`client_list`: by the milestone's key."""

    said = "{}"

    def in_words(self, value: str) -> str:
        name = Milestone.objects.filter(key=value).values_list("name", flat=True).first()
        if name is None:
            raise IncorrectLookupParameters
        return self.said.format(f"“{name}”")


class ReachedFilter(MilestoneFilter):
    title, parameter_name, said = "milestone reached", "reached", "reached {}"

    def narrowed(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        return found_by(queryset, board.REACHED, {"key": value})


class NextFilter(MilestoneFilter):
    title, parameter_name, said, stalled = "milestone that is next", "next_up", "next is {}", False

    def narrowed(self, queryset: QuerySet[Any], value: str) -> QuerySet[Any]:
        return found_by(queryset, "select unnest(%(ids)s::bigint[])", {"ids": self.waiting})

    @cached_property
    def waiting(self) -> list[int]:
        """Found once: the list asks who is in it, and once more whom it leaves out."""
        with patience():
            return board.waiting_at(self.value() or "", stalled=self.stalled, at=clock.now())


class StalledFilter(NextFilter):
    title, parameter_name, said, stalled = "stalls before", "stalled", "stalled before {}", True


BOARD = (ReachedFilter, NextFilter, StalledFilter)
