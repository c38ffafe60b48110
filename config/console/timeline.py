"""All that happened with a supplier, in one line of time: what she did, how her score moved, and what our own people did."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from config.console.templatetags.words import told, words
from health.scoring import WS142
from success import db, history
from success.colleagues import called
from success.models import Supplier

PAGE = 40


@dataclass(frozen=True, slots=True)
class Entry:
    at: datetime
    kind: str
    title: str
    day: datetime | None  # what the title ends with
    text: str
    by: str | None


# Each gives at, title, a day after it, text and who, of a supplier, before an instant, the latest first. Kinds are the icons of the page.
SOURCES: Mapping[str, str] = {
    "note": """select at, 'Note', null::timestamptz, text, by_id
        from success_note where supplier_id = %(supplier)s and at < %(before)s order by at desc limit %(limit)s""",
    "touchpoint": """select at, initcap(channel) || ', ' || case outcome when 'reached' then 'reached her' when 'no_answer' then 'no answer'
            when 'message_left' then 'left a message' else 'booked a next step' end, null::timestamptz, text, by_id
        from success_touchpoint where supplier_id = %(supplier)s and at < %(before)s order by at desc limit %(limit)s""",
    "task": """select at, 'Task planned for', due_on::timestamp at time zone %(zone)s, title, by_id
        from success_task where supplier_id = %(supplier)s and at < %(before)s order by at desc limit %(limit)s""",
    "task_ended": """select ended_at, case dropped_because when '' then 'Task done' else 'Task dropped' end, null::timestamptz,
            title || case dropped_because when '' then '' else ': ' || dropped_because end, ended_by_id
        from success_task where supplier_id = %(supplier)s and ended_at < %(before)s order by ended_at desc limit %(limit)s""",
    "snooze": """select at, 'Snoozed until', until, reason, by_id
        from success_snooze where supplier_id = %(supplier)s and at < %(before)s order by at desc limit %(limit)s""",
    "snooze_ended": """select ended_at, 'Woken', null::timestamptz, 'before the snooze was over', null::integer
        from success_snooze where supplier_id = %(supplier)s and ended_at < %(before)s and ended_at < until order by ended_at desc limit %(limit)s""",
    "override": """select at, 'Level set to ' || replace(level, '_', ' ') || ' until', until,
            reason || ' (computed: ' || replace(computed_level, '_', ' ') || ')', by_id
        from health_override where supplier_id = %(supplier)s and at < %(before)s order by at desc limit %(limit)s""",
    "override_ended": """select ended_at, case when ended_by_id is null then 'The set level ended by itself' else 'The set level was taken back' end,
            null::timestamptz, 'it was ' || replace(level, '_', ' '), ended_by_id
        from health_override where supplier_id = %(supplier)s and ended_at < %(before)s order by ended_at desc limit %(limit)s""",
    "playbook": """select r.started_at, 'Playbook begun', null::timestamptz, p.name || case r.overruled when '' then '' else ': ' || r.overruled end, r.asked_by_id
        from interventions_intervention r join interventions_playbook p on p.id = r.playbook_id
        where r.supplier_id = %(supplier)s and r.started_at < %(before)s order by r.started_at desc limit %(limit)s""",
    "playbook_ended": """select r.ended_at, 'Playbook ended', null::timestamptz, p.name || ': ' || case r.ended when 'goal' then 'she got there'
            when 'moved' then 'she is active again' when 'over' then 'its time was over' when 'left' then 'she is no longer in service'
            else 'stopped by one of us' end, null::integer
        from interventions_intervention r join interventions_playbook p on p.id = r.playbook_id
        where r.supplier_id = %(supplier)s and r.ended_at < %(before)s order by r.ended_at desc limit %(limit)s""",
    "not_written": """select d.at, 'Not written to', null::timestamptz, p.name || coalesce(': ' || (
            select g ->> 'why' from jsonb_array_elements(d.gates) g where g ->> 'key' = d.gate limit 1), ''), d.by_id
        from interventions_decision d join interventions_playbook p on p.id = d.playbook_id
        where d.supplier_id = %(supplier)s and d.outcome in ('skipped', 'failed') and d.at < %(before)s order by d.at desc limit %(limit)s""",
    "booking": """select at, 'Opened the booking page', null::timestamptz, 'from a letter', null::integer
        from success_event where supplier_id = %(supplier)s and name = 'interventions.booking_opened' and at < %(before)s order by at desc limit %(limit)s""",
    "mail": """select d.at, case d.state when 'accepted' then 'Mail sent' when 'dropped' then 'Mail not sent' when 'refused' then 'Mail refused'
            when 'unknown' then 'Mail sent, or not: nobody knows' else 'Mail waiting' end, null::timestamptz,
            coalesce(nullif(d.subject, ''), t.key) || case d.error when '' then '' else ': ' || d.error end, null::integer
        from success_send d join success_messagetemplate t on t.id = d.template_id
        where d.supplier_id = %(supplier)s and d.at < %(before)s order by d.at desc limit %(limit)s""",
    "notice": """select at, 'Told in the product', null::timestamptz, title || case when read_at is null then '' else ' (she read it)' end, null::integer
        from success_notification where supplier_id = %(supplier)s and at < %(before)s and withdrawn_at is null order by at desc limit %(limit)s""",
    "unsubscribed": """select unsubscribed_at, 'Unsubscribed from mail', null::timestamptz, '', null::integer
        from success_preferences where supplier_id = %(supplier)s and unsubscribed_at < %(before)s""",
    "status": """select at, case when internal then 'Internal account' when status = 'cancelled' then 'Cancelled' when status = 'paused' then 'Paused'
            else 'In service: ' || status end, null::timestamptz, '', null::integer
        from success_statuschange where supplier_id = %(supplier)s and at < %(before)s order by at desc limit %(limit)s""",
    "level": """select (day + 1)::timestamp at time zone 'UTC' - interval '1 microsecond',
            case when level is null then 'No level' when before is null then 'First level: ' || replace(level, '_', ' ')
                 else 'From ' || replace(before, '_', ' ') || ' to ' || replace(level, '_', ' ') end, null::timestamptz,
            coalesce('score ' || round(score_before::numeric, 1) || ' → ', 'score ') || round(score::numeric, 1) || coalesce(': ' || (
                select string_agg(part || to_char(points, ' FMS990.0') || cause, ', ' order by abs(points) desc)
                from (select unnest(%(parts)s::text[]), unnest(by_time), ' as time passed'
                      union all select unnest(%(parts)s::text[]), unnest(by_activity), ' by activity') m (part, points, cause)
                where abs(points) >= 0.05 and before is not null), ''), null::integer
        from (select day, level, score, by_time, by_activity, lag(level) over w as before, lag(score) over w as score_before, row_number() over w as n
              from health_snapshot where supplier_id = %(supplier)s window w as (order by day)) x
        where level is distinct from before and day < (%(before)s::timestamptz at time zone 'UTC')::date order by day desc limit %(limit)s""",
    # What no closed day tells yet.
    "level_today": """select a.level_since, 'From ' || replace(a.level_before, '_', ' ') || ' to ' || replace(a.level, '_', ' '), null::timestamptz,
            'score ' || round(a.score::numeric, 1), null::integer
        from health_assessment a where a.supplier_id = %(supplier)s and a.level_before is not null and a.level is not null and a.level_since < %(before)s
            and a.level_since >= coalesce((select (max(last_day) + 1)::timestamp at time zone 'UTC' from health_closing), '-infinity')""",
    "milestone": """select a.achieved_at, 'Reached “' || m.name || '”', null::timestamptz,
            case when a.silent then 'found in her history' else replace(m.words, '{{ count }}', a.n::text) end, null::integer
        from milestones_achievement a join milestones_milestone m on m.id = a.milestone_id
        where a.supplier_id = %(supplier)s and a.achieved_at < %(before)s order by a.achieved_at desc limit %(limit)s""",
    "milestone_revoked": """select a.revoked_at, '“' || m.name || '” taken back', null::timestamptz, a.revoked_because, a.revoked_by_id
        from milestones_achievement a join milestones_milestone m on m.id = a.milestone_id
        where a.supplier_id = %(supplier)s and a.revoked_at < %(before)s order by a.revoked_at desc limit %(limit)s""",
    "reward": """select g.at, case g.state when 'over_budget' then 'No reward: the budget is spent' else 'Reward given' end, null::timestamptz, r.name, null::integer
        from milestones_grant g join milestones_reward r on r.id = g.reward_id
        where g.supplier_id = %(supplier)s and g.at < %(before)s order by g.at desc limit %(limit)s""",
    "reward_ended": """select coalesce(g.ended_at, g.redeemed_at), case g.state when 'redeemed' then 'Reward redeemed' when 'expired' then 'Reward expired'
            when 'refused' then 'Reward refused' else 'Reward clawed back' end, null::timestamptz, r.name, g.by_id
        from milestones_grant g join milestones_reward r on r.id = g.reward_id
        where g.supplier_id = %(supplier)s and g.state in ('redeemed', 'expired', 'refused', 'clawed_back') and coalesce(g.ended_at, g.redeemed_at) < %(before)s
        order by coalesce(g.ended_at, g.redeemed_at) desc limit %(limit)s""",
    "activity": """select max(d.last_at), sum(d.n) || case sum(d.n) when 1 then ' action' else ' actions' end, null::timestamptz,
            string_agg(e.name || case when d.n > 1 then ' ×' || d.n else '' end, ', ' order by d.n desc, e.name), null::integer
        from success_dailyuse d join success_eventname e on e.id = d.event_id
        where d.supplier_id = %(supplier)s and d.last_at < %(before)s and e.meaning <> 'sign_in_reported' group by d.day order by d.day desc limit %(limit)s""",
}
TIMELINE = f"""select x.at, x.kind, x.title, x.day, x.text, coalesce(nullif(trim(u.first_name || ' ' || u.last_name), ''), u.username) from ({
    " union all ".join(f"(select s.*, '{kind}' from ({sql}) s)" for kind, sql in SOURCES.items())
}) x (at, title, day, text, by, kind) left join auth_user u on u.id = x.by order by x.at desc, x.kind limit %(limit)s"""


PARTS = [words(component.key) for component in WS142.components]
TOLD_ELSEWHERE = {"status", "internal", "cancelled at"}  # as the account's coming and going


def timeline(supplier: int, *, before: datetime, zone: str, limit: int = PAGE) -> list[Entry]:
    """The latest entries before an instant, the newest first."""
    rows = db.rows(TIMELINE, {"supplier": supplier, "before": before, "zone": zone, "limit": limit, "parts": PARTS})
    entries = [*(Entry(*row) for row in rows), *edits(supplier, before=before, limit=limit)]
    return sorted(entries, key=lambda entry: entry.at, reverse=True)[:limit]


def edits(supplier: int, *, before: datetime, limit: int) -> Iterator[Entry]:
    """What was changed about the account, by one of us, an import, or the product."""
    for change in history.changes(Supplier, [supplier], before=before, most=limit):
        text = "\n".join(f"{step.field}: {told(step.before)} → {told(step.after)}" for step in change.steps if step.field not in TOLD_ELSEWHERE)
        if text:
            by = called(change.by) if change.by else f"through {change.through}" if change.through else None
            yield Entry(change.at, "edit", "Account changed", None, text, by)
