"""The one door to suppliers and to our own people: what is asked for here is written down, and sent once, if nothing stands against it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from success import due
from success.models import MessageTemplate, Notification, Preferences, Send
from success.models.due import State
from success.models.notifications import Category
from success.notifications import letters, sending
from success.notifications.channels import CHANNELS
from success.notifications.facts import values_of
from success.stream.pushes import NOTIFICATION, Said, push_all, settle

IN_APP = "in_app"


class UnknownTemplate(Exception):
    """There is no template of this key."""


class UnknownChannel(Exception):
    """Nothing is sent by a channel of this name."""


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One message to one supplier. A second of the same `key` changes nothing."""

    supplier: int
    template: str
    context: Mapping[str, Any] = field(default_factory=dict)
    category: str = ""  # without it the template's
    key: str
    channels: Sequence[str] = (IN_APP, "email")
    cause: str = ""
    due_at: datetime | None = None
    overrule: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """What became of an ask: whether it is new, what was written for it, and why there is nothing in the product if there is not."""

    key: str
    new: bool
    sends: tuple[int, ...] = ()
    notification: int | None = None
    not_in_app: str = ""


def notify(
    *,
    supplier: int,
    template: str,
    context: Mapping[str, Any],
    category: str,
    key: str,
    at: datetime,
    channels: Sequence[str] = (IN_APP, "email"),
    cause: str = "",
    due_at: datetime | None = None,
    overrule: str = "",
) -> Notice:
    """The message stands in the supplier's inbox, and is on its way by each other channel; the caller's transaction decides whether it ever was.

    Raises:
        UnknownTemplate, UnknownChannel: nothing is written.
    """
    asked = Ask(
        supplier=supplier, template=template, context=context, category=category, key=key, channels=channels, cause=cause, due_at=due_at, overrule=overrule
    )
    return notify_all([asked], at=at)[0]


@transaction.atomic
def notify_all(asks: Sequence[Ask], *, at: datetime) -> list[Notice]:
    """The same for many, in as many queries as for one."""
    templates = templates_of({ask.template for ask in asks})
    if unknown := {channel for ask in asks for channel in ask.channels} - {IN_APP, *CHANNELS}:
        raise UnknownChannel(", ".join(sorted(unknown)))
    keys = [ask.key for ask in asks]
    before = {*Send.objects.filter(key__in=keys).values_list("key", flat=True), *Notification.objects.filter(key__in=keys).values_list("key", flat=True)}
    inbox, why_not = in_app(asks, templates, at=at)
    made = Send.objects.bulk_create([send for ask in asks for send in sends_of(ask, templates[ask.template], at=at)], ignore_conflicts=True)
    Notification.objects.bulk_create(inbox, ignore_conflicts=True)
    if made:
        due.hint(sending.SEND)
    told = list(Notification.objects.filter(key__in=keys))
    push_all([said(row) for row in told if row.key not in before], at=at)
    found = {row.key: row.pk for row in told}
    sends: dict[str, list[int]] = {}
    for key, pk in Send.objects.filter(key__in=keys).order_by("pk").values_list("key", "pk"):
        sends.setdefault(key, []).append(pk)
    return [Notice(key, key not in before, tuple(sends.get(key, ())), found.get(key), why_not.get(key, "")) for key in keys]


def templates_of(keys: Iterable[str]) -> dict[str, MessageTemplate]:
    found = {template.key: template for template in MessageTemplate.objects.filter(key__in=keys)}
    if unknown := set(keys) - set(found):
        raise UnknownTemplate(", ".join(sorted(unknown)))
    return found


def sends_of(ask: Ask, template: MessageTemplate, *, at: datetime) -> list[Send]:
    due_at = ask.due_at or at
    about = {
        "supplier_id": ask.supplier,
        "template": template,
        "category": ask.category or template.category,
        "key": ask.key,
        "cause": ask.cause,
        "context": letters.known(ask.context),
        "at": at,
        "due_at": due_at,
        "latest_at": due_at + timedelta(days=template.good_for_days),
        "overrule": ask.overrule,
    }
    return [Send(channel=channel, **about) for channel in ask.channels if channel != IN_APP]


def in_app(asks: Sequence[Ask], templates: Mapping[str, MessageTemplate], *, at: datetime) -> tuple[list[Notification], dict[str, str]]:
    """What goes into inboxes, and by key why something does not."""
    wanted = [ask for ask in asks if IN_APP in ask.channels and templates[ask.template].in_app_title]
    facts = values_of({ask.supplier for ask in wanted})
    chosen = Preferences.objects.in_bulk({ask.supplier for ask in wanted})
    rows, why_not = [], {}
    for ask in wanted:
        template, chose = templates[ask.template], chosen.get(ask.supplier)
        category = ask.category or template.category
        if chose and not chose.wants(channel=IN_APP, category=category):
            why_not[ask.key] = "She wants nothing of this in the product."
            continue
        try:
            letter = letters.write_in_app(template, {**facts.get(ask.supplier, {}), **ask.context})
        except letters.Unwritten as error:
            why_not[ask.key] = str(error)
            continue
        about = {"template": template, "category": category, "cause": ask.cause, "at": ask.due_at or at}
        rows.append(Notification(supplier_id=ask.supplier, key=ask.key, title=letter.subject, text=letter.text, link=letter.link, **about))
    return rows, why_not


def said(row: Notification) -> Said:
    """What an open page is told of it, as the inbox of the API has it."""
    data = {"id": row.pk, "category": row.category, "title": row.title, "text": row.text, "link": row.link, "at": msgspec.to_builtins(row.at)}
    return Said(supplier=row.supplier_id, event=NOTIFICATION, key=f"{NOTIFICATION}:{row.pk}", data=data, at=row.at)


@transaction.atomic
def cancel(*, cause: str, at: datetime) -> int:
    """What was asked for because of this and has not gone out does not go out, and unread notices of it are withdrawn; says how many sends that were."""
    unread = Notification.objects.filter(cause=cause, read_at=None, withdrawn_at=None).exclude(cause="")
    settle([f"{NOTIFICATION}:{pk}" for pk in unread.values_list("pk", flat=True)], at=at)
    unread.update(withdrawn_at=at)
    return sending.drop_queued(Q(cause=cause) & ~Q(cause=""), gate="cause", reason="What it was about is gone.", at=at)


def notify_staff(
    *,
    template: str,
    context: Mapping[str, Any],
    key: str,
    at: datetime,
    user: User | None = None,
    channel: str = "",
    cause: str = "",
    due_at: datetime | None = None,
) -> Notice:
    """One of us is written to by mail, or the channel `chat` is: once for a key. Raises UnknownTemplate, UnknownChannel."""
    channel = channel or "email"
    if channel not in CHANNELS or (channel == "email") != (user is not None):
        raise UnknownChannel(channel)
    found, due_at = templates_of({template})[template], due_at or at
    whole = f"{key}:{user.pk}" if user else key
    values = {
        "user": user, "template": found, "category": Category.STAFF, "cause": cause, "context": letters.known(context), "at": at, "due_at": due_at,
        "latest_at": due_at + timedelta(days=found.good_for_days), "state": State.QUEUED,
    }  # fmt: skip
    send, new = Send.objects.get_or_create(key=whole, channel=channel, defaults=values)
    due.hint(sending.SEND)
    return Notice(whole, new, (send.pk,))
