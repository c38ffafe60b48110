"""The mail about what a supplier reached and has not seen: one for all of it, at most one a day, and each achievement in one alone."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from itertools import groupby, takewhile
from typing import Any

from django.conf import settings
from django.db import transaction

from milestones.celebrations import cause_of
from milestones.models import Achievement, Grant
from milestones.wording import wordings
from success import db, notifications
from success.models import Notification, Send
from success.notifications import sending

DIGEST = "milestones_digest"  # the template, and of what cause
FRESH = timedelta(days=7)  # what was announced before is no news
BATCH = 500
MOST = 20  # batches of one run; the next goes on

UNSEEN = """a.seen_at is null and a.digested_at is null and a.revoked_at is null and not a.silent and m.celebration <> 'none' and a.announced_at > %(since)s
    and not exists (select from success_notification n where n.key = 'milestone:' || a.id and n.read_at is not null)"""
# Suppliers of whom something has waited long enough, and who may be written to today; then all that they have not seen.
TAKE = f"""with template as (select id from success_messagetemplate where key = '{DIGEST}'), whom as (
        select distinct x.supplier_id from (
            select a.supplier_id from milestones_achievement a join milestones_milestone m on m.id = a.milestone_id join success_supplier s on s.id = a.supplier_id
            left join success_preferences p on p.supplier_id = a.supplier_id cross join template t
            where {UNSEEN} and a.announced_at <= %(until)s and not s.internal and s.status not in ('cancelled', 'paused')
            and coalesce(p.paused_until <= %(at)s, true)
            and not exists (select from success_slot l where l.supplier_id = a.supplier_id and l.template_id = t.id and l.during @> %(at)s::timestamptz)
            and not exists (select from success_send d where d.supplier_id = a.supplier_id and d.template_id = t.id and d.state in ('queued', 'claimed'))
            order by a.announced_at limit %(limit)s) x)
    update milestones_achievement u set digested_at = %(at)s from milestones_achievement a join whom w on w.supplier_id = a.supplier_id
    join milestones_milestone m on m.id = a.milestone_id where u.id = a.id and u.digested_at is null and {UNSEEN} returning u.id"""


def digest(*, at: datetime) -> int:
    """Whoever has not seen for a while what she reached is on the way to be told by mail; says how many suppliers."""
    return sum(takewhile(bool, (digest_batch(at=at) for _ in range(MOST))))


@transaction.atomic
def digest_batch(*, at: datetime) -> int:
    until = at - timedelta(hours=settings.DIGEST_AFTER_HOURS)
    taken = db.rows(TAKE, {"at": at, "since": at - FRESH, "until": until, "limit": BATCH})
    hers = by_supplier(Achievement.objects.filter(pk__in=[key for (key,) in taken]))
    notifications.notify_all([ask(mine, said) for mine, said in zip(hers, contexts(hers, at=at), strict=True)], at=at)
    return len(hers)


def by_supplier(achievements: Any) -> list[list[Achievement]]:
    """Each supplier's together, the highest first."""
    found = achievements.select_related("milestone").order_by("supplier", "-milestone__place", "-milestone")
    return [list(mine) for _, mine in groupby(found, key=lambda one: one.supplier_id)]


def ask(mine: Collection[Achievement], said: Mapping[str, Any]) -> notifications.Ask:
    first = min(mine, key=lambda one: one.pk)
    cause = f"{DIGEST}:{first.supplier_id}"
    return notifications.Ask(supplier=first.supplier_id, template=DIGEST, context=said, key=f"{DIGEST}:{first.pk}", cause=cause, channels=("email",))


def contexts(hers: Collection[Collection[Achievement]], *, at: datetime) -> list[dict[str, Any]]:
    """The values of each supplier's mail, in as many queries for many as for one."""
    every = [one for mine in hers for one in mine]
    said = wordings(every, Grant.objects.filter(achievement__in=every).select_related("reward"), at=at)
    return [
        {
            "count": len(mine),
            "milestones": [{"name": said[one.pk].title, "words": said[one.pk].words, "reward": said[one.pk].reward} for one in mine],
            "opens_next": next(said[one.pk].opens_next for one in mine),
            "product_url": settings.PRODUCT_URL,
            "achievements": [one.pk for one in mine],
        }
        for mine in hers
    ]


def still(sends: Collection[Send], *, at: datetime) -> dict[int, dict[str, Any] | sending.Shut]:
    """As the mails are written: what of it she has not seen by now, with the numbers of now; of nothing none is sent."""
    told = [key for send in sends for key in send.context.get("achievements", ())]
    asked = Achievement.objects.filter(pk__in=told, seen_at=None, revoked_at=None)
    read = set(Notification.objects.filter(cause__in=[cause_of(one) for one in asked], read_at__isnull=False).values_list("cause", flat=True))
    hers = by_supplier(asked.exclude(pk__in=[one.pk for one in asked if cause_of(one) in read]))
    said = dict(zip([mine[0].supplier_id for mine in hers], contexts(hers, at=at), strict=True))
    return {send.pk: said.get(send.supplier_id or 0) or sending.Shut("cause", "She has seen it.") for send in sends}


sending.ask_again(DIGEST, still)
