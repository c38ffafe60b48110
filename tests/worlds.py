"""A world in which every page has something to show, told through the operations. All its words are drawn from a list, so that a test can look for them."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from axes.models import AccessAttempt
from django.contrib.auth.models import Group, User
from django_celery_beat.models import ClockedSchedule, IntervalSchedule, PeriodicTask

from health import assessments, history, overrides
from interventions.models import Decision, Intervention, Playbook, Step
from milestones import achievements, definitions
from milestones.models import Achievement, Fault, Grant, Milestone, Reward
from success import activity, catalogue, clock, colleagues, keys, roles, saved_views, work
from success.imports import uploads
from success.models import CustomField, DeadLetter, Delivery, Event, EventName, Feature, JobRun, MessageTemplate, Segment, Send, Source, Supplier
from success.notifications import notify
from tests.factories import StaffFactory

PLAIN = ("Anna Berg", "Ines Costa", "Tom Reed", "Lena Vogt", "Marc Petit", "Ada Novak", "Olga Lind")
EVENTS = ("Signed In", "Form Created", "Clients Imported", "Template Used", "Client Active")
LOOKED_AT = 5  # suppliers, of those that have everything


@dataclass(frozen=True)
class Words:
    """Texts for one thing after another, each made to fit; those that must differ get a number."""

    texts: Sequence[str]

    def __call__(self, n: int, limit: int = 200, *, once: bool = False) -> str:
        text = self.texts[n % len(self.texts)]
        turn = f" {n}" if once and n >= len(self.texts) else ""
        return text[: limit - len(turn)] + turn


def person(name: str, role: str | None = None, **about: object) -> User:
    """Somebody of ours, with a role."""
    user = StaffFactory(username=name, **about)
    user.groups.set(Group.objects.filter(name=role))
    return user


def populate(*, owner: User, texts: Sequence[str] = PLAIN, suppliers: int, prefix: str = "") -> list[Supplier]:
    """A book: suppliers who did things, and things done about them. Their own words begin with the prefix; names of events and fields are common."""
    common, say, at = Words(texts), Words([prefix + text for text in texts]), clock.now()
    source = Source.objects.get_or_create(name=common(0, 80))[0]
    fields = [CustomField.objects.get_or_create(name=common(n, 80))[0].name for n in range(3)]
    catalogue.forget()
    sent = [json.dumps(one).encode() for n in range(suppliers) for one in told(n, say, common(n), fields, at)]
    receipt = activity.take(sent, kind=None, source=source, received_at=at)
    assert not receipt.refused, receipt.refused[:3]
    ids = [say(n, 128, once=True) for n in range(suppliers)]
    Supplier.objects.filter(external_id__in=ids).update(owner=owner)
    assessments.assess(at=at)
    history.backfill(first=(at - timedelta(days=60)).date(), last=(at - timedelta(days=1)).date())
    book = sorted(Supplier.objects.filter(external_id__in=ids), key=lambda one: ids.index(one.external_id))
    for n, supplier in enumerate(book):
        look_after(supplier, n, say, owner, at)
    return book


def told(n: int, say: Words, own_event: str, fields: list[str], at: datetime) -> list[dict[str, object]]:
    """What the product says of one supplier: who she is, and two months of less and less."""
    who, created = {"userId": say(n, 128, once=True)}, at - timedelta(days=3 if n % 9 == 8 else 40 + n)
    traits = {
        "name": say(n + 1), "email": say(n + 2, 254), "phone": say(n + 3, 40), "plan": say(n + 4, 80), "vertical": say(n + 5, 80), "mrr": 19 + n, "currency": "EUR",
        "created_at": created.isoformat(), "renews_at": (at + timedelta(days=10 + n)).isoformat(), "locale": say(n + 6, 35), "never declared " + own_event[:150]: 1,
        "status": ("active", "active", "trial", "past_due")[n % 4], **{name: say(n + 7 + k) for k, name in enumerate(fields)},
    }  # fmt: skip
    days = [day for day in range(4 + n % 20, 38, 7) if at - timedelta(days=day) > created] or [1]
    events = [(day, event) for day in days for event in (*EVENTS[: 1 + n % 5], own_event)]
    about = {"page": say(n + 9, 64), "client_id": say(n + 10, 64)}
    return [
        {"type": "identify", **who, "traits": traits},
        *({"type": "track", **who, "event": event, "properties": about, "timestamp": (at - timedelta(days=day)).isoformat()} for day, event in events),
    ]


def look_after(supplier: Supplier, n: int, say: Words, by: User, at: datetime) -> None:
    """Notes, tasks and contacts; for some a snooze or a level set by hand."""
    one = {"supplier": supplier.pk, "by": by, "at": at}
    work.note(text=say(n, 4000), **one)
    work.contacted(channel="call", outcome="reached", text=say(n + 1, 4000), **one)
    work.plan(title=say(n + 2, 200), due_on=at.date() + timedelta(days=n % 7 - 3), assignee=by, **one)
    work.drop(task=work.plan(title=say(n + 3, 200), due_on=at.date(), assignee=by, **one), because=say(n + 4, 200), by=by, at=at)
    about = {"subscriber": say(n + 7, 80), "due_at": at, "state": ("refused", "queued", "accepted")[n % 3], "error": say(n + 8)}
    Delivery.objects.create(event=Event.objects.create(name="a.test", supplier=supplier, at=at, payload={}), supplier=supplier, **about)
    tell(supplier, n, say, at)
    help_her(supplier, n, say, by, at)
    if n % 10 == 2:
        work.snooze(until=at + timedelta(days=9), reason=say(n + 5, 200), **one)
    reward = Reward.objects.get_or_create(key="a-tests-gift", defaults={"name": "gift", "kind": "human_gift"})[0]
    for state, milestone in zip(("pending", "granted", "over_budget"), Milestone.objects.order_by("pk"), strict=False):
        achievement = Achievement.objects.get_or_create(supplier=supplier, milestone=milestone, defaults={"achieved_at": at, "known_at": at})[0]
        Grant.objects.create(reward=reward, supplier=supplier, achievement=achievement, value=1, state=state, at=at, expires_at=at + timedelta(days=3))
    if n % 10 == 3:
        achievements.revoke(achievement=achievement.pk, because=say(n + 7, 200), by=by, at=at)
    if n < LOOKED_AT and overrides.may(by, supplier):
        overrides.override(level="critical", reason=say(n + 6, 200), until=at + timedelta(days=9), **one)


def run_the_house(*, boss: User, texts: Sequence[str] = PLAIN) -> None:
    """What is nobody's book: colleagues, keys, uploads, the schedule and its runs, and what went wrong."""
    say, at, place = Words(texts), clock.now(), count()
    source = Source.objects.get_or_create(name="console uploads")[0]
    for n in range(len(texts)):
        keys.create(source=source, name=say(n, 80), scopes=["ingest"], created_by=boss.pk)
        person(say(n, 150, once=True), roles.MANAGER, first_name=say(n + 1, 150), last_name=say(n + 2, 150), email=say(n + 3, 254))
        EventName.objects.get_or_create(name=say(n), defaults={"description": say(n + 1), "kept": [say(n + 2, 64)]})
        CustomField.objects.get_or_create(name=say(n, 80), defaults={"description": say(n + 1)})
        saved_views.save(name=say(n, 40), query={"q": say(n + 1), "plan": say(n + 2, 80)}, shared=n % 2 == 0, opens_first=False, by=boss, at=at)
        AccessAttempt.objects.create(username=say(n), ip_address="192.0.2.1", failures_since_start=9, attempt_time=at, path_info="/admin/login/")
        failures = [{"supplier": next(place), "reason": say(n + 3)}]
        about = {"state": "failed", "started_at": at, "leased_until": at, "finished_at": at, "failures": failures, "error": say(n + 2)}
        JobRun.objects.create(job=say(n, 80), slot=at - timedelta(minutes=n), **about)
        DeadLetter.objects.create(received_at=at, messages=[], sqlstate="23514", error=say(n), attempts=3)
        uploads.receive(
            name=say(n), content=file_of([["id", say(n), "plan"], [say(n + 1, 128), "x", say(n + 2, 80)], ["too short"]]), source=source, by=boss, at=at
        )
        asked = [{"fact": "plan", "is": "is", "value": say(n, 80)}, {"fact": f"custom.{say(n, 80)}", "is": "one_of", "value": [say(n + 1)]}]
        Segment.objects.create(key=f"segment-{n}", name=say(n, 80), condition={"any": asked})
    Fault.objects.create(at=at, sqlstate="23514", error=say(0))
    for n in range(len(texts)):
        reward = Reward.objects.create(key=f"a-test-{n}", name=say(n, 80), words=say(n + 1, 300), kind="credit", unit=say(n + 2, 20), budget=100)
        about = {"name": say(n, 80), "words": say(n + 1), "icon": "flag", "opens_next": say(n + 2), "reward": reward}
        definitions.define(Milestone(key=f"a-test-{n}", requirement={"count": f"event:{EVENTS[n % 5]}", "at_least": 40 + n}, place=500 + n, **about))
    Feature.objects.create(bit=50, key="a-tests", name=say(0, 80))
    colleagues.invite(address="newcomer@example.org", first_name=say(0, 150), last_name=say(1, 150), role=roles.MANAGER, own_book_only=True, by=boss, at=at)
    every = IntervalSchedule.objects.get_or_create(every=977, period="days")[0]
    clocked = ClockedSchedule.objects.create(clocked_time=at)
    for n, when in enumerate(({"interval": every}, {"clocked": clocked, "one_off": True})):
        PeriodicTask.objects.create(name=f"{say(n, 150)} (a test's)", task="a test's", description=say(n + 1), enabled=False, **when)


def help_her(supplier: Supplier, n: int, say: Words, by: User, at: datetime) -> None:
    """A playbook begun for some, and a decision about everybody."""
    playbook = Playbook.objects.get(key="first_weeks_quiet")
    about = {"supplier": supplier, "playbook": playbook, "version": 1}
    if n % 3 == 0:
        run = Intervention.objects.create(**about, episode=1, steps=playbook.steps, started_at=at, asked_by=by, overruled=say(n, 200))
        Step.objects.create(supplier=supplier, intervention=run, place=0, due_at=at, state="refused", error=say(n + 1))
    why = [{"key": "data", "holds": False, "why": say(n + 2)}]
    Decision.objects.create(**about, at=at, outcome="skipped", gate="data", gates=why, key="once")


def tell(supplier: Supplier, n: int, say: Words, at: datetime) -> None:
    """A message in the product and a letter, on its way or not sent."""
    MessageTemplate.objects.get_or_create(
        key="a-tests", defaults={"category": "tips", "subject": "{{ word }}", "text": "{{ word }}", "in_app_title": "{{ word }}", "example": {"word": "a word"}}
    )
    notify(supplier=supplier.pk, template="a-tests", context={"word": say(n, 200)}, category="tips", key=f"worlds:{supplier.pk}", at=at)
    if n % 2:
        Send.objects.filter(supplier=supplier).update(state="refused", subject=say(n, 200), text=say(n + 1, 200), error=say(n + 2, 200))


def file_of(lines: Sequence[Sequence[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(lines)
    return out.getvalue().encode()


def tear_down() -> None:
    """What a world leaves in tables that are emptied by nobody else."""
    PeriodicTask.objects.filter(task="a test's").delete()
    IntervalSchedule.objects.filter(every=977).delete()
    ClockedSchedule.objects.all().delete()
    AccessAttempt.objects.all().delete()
