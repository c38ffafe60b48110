"""What is said of an achievement, wherever she reads it: the milestone's words with her own number, what opens up next, and the reward."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from milestones import measures
from milestones.models import Achievement, Grant, GrantState, Threshold
from milestones.requirements import Invalid, Measure, Requirement, counts, parse

COUNT = "{{ count }}"  # where her number goes


@dataclass(frozen=True, slots=True)
class Wording:
    """An achievement in words; "" for what there is not."""

    title: str
    words: str
    opens_next: str
    reward: str


def wordings(achievements: Collection[Achievement], grants: Collection[Grant] = (), *, at: datetime) -> dict[int, Wording]:
    """By achievement, with the numbers of this moment and the rewards that were granted for them."""
    numbers = own_numbers([one for one in achievements if COUNT in one.milestone.words], at=at)
    rewards = {grant.achievement_id: of_reward(grant) for grant in grants}
    return {
        one.pk: Wording(one.milestone.name, counted(one, numbers.get(one.pk, one.n)), one.milestone.opens_next, rewards.get(one.pk, "")) for one in achievements
    }


def counted(achievement: Achievement, n: int | None = None) -> str:
    """The milestone's words with a number in them: without one, how many it took."""
    return achievement.milestone.words.replace(COUNT, str(achievement.n if n is None else n))


def of_reward(grant: Grant) -> str:
    """What it brought her: hers already, or on its way; nothing where the budget was spent."""
    if grant.state == GrantState.PENDING:
        return f"On its way to you: {grant.reward.name}."
    return " ".join(f"Yours now: {grant.reward.name}. {grant.reward.words}".split()) if grant.state == GrantState.GRANTED else ""


def own_numbers(achievements: Collection[Achievement], *, at: datetime) -> dict[int, int]:
    """By achievement how far she is by now in what it counts: 27 clients where 25 were needed."""
    asked = {one.pk: found for one in achievements if isinstance(found := takes(one), Measure)}
    if not asked:
        return {}
    terms = measures.terms(list(asked.values()), ids=dict(Threshold.objects.values_list("counter", "of")), at=at)
    standings = measures.standings({one.supplier_id for one in achievements}, list(asked.values()), terms, at=at)
    return {
        one.pk: max(one.n, standings[one.supplier_id].values[asked[one.pk].counter]) for one in achievements if one.pk in asked and one.supplier_id in standings
    }


def takes(achievement: Achievement) -> Requirement | None:
    try:
        return parse(achievement.milestone.requirement)
    except Invalid:
        return None


def fault(words: str, requirement: Requirement) -> str:
    """What is wrong with a milestone's words; "" if nothing is."""
    if COUNT in words and not counts(requirement):
        return f"{COUNT} is for what takes a number of one thing: clients, events, features, days or weeks."
    rest = words.replace(COUNT, "")
    return f"Write her number as {COUNT}; no other braces." if "{{" in rest or "{%" in rest else ""
