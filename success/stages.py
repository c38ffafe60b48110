"""Where a supplier stands in its life with the product. Pure, and once more as SQL."""

from datetime import datetime, timedelta

NEW_FOR = timedelta(days=7)
END_WITHIN = timedelta(days=14)
STAGES = ("new", "active", "at_end", "lost")

# Over a supplier `s`: what her facts row says too, without reading it.
IN_SERVICE = "success_in_service(s.status, s.internal)"
KNOWN_SINCE = "coalesce(s.created_at, s.first_seen_at)"


def stage(*, status: str, known_since: datetime, trial_ends_at: datetime | None, renews_at: datetime | None, at: datetime) -> str:
    """`lost` (cancelled), `new` (first 7 days), `at_end` (trial ends or renews within 14 days), else `active`."""
    if status == "cancelled":
        return "lost"
    if at - known_since < NEW_FOR:
        return "new"
    ends = trial_ends_at if status == "trial" else renews_at
    return "at_end" if ends is not None and at <= ends <= at + END_WITHIN else "active"


def stage_sql(at: str) -> str:
    """The same over a supplier `s`. Selected, the two bounds are found once, and not for each supplier."""
    return f"""case when s.status = 'cancelled' then 'lost' when {KNOWN_SINCE} > (select {at}::timestamptz - interval '7 days') then 'new'
        when case s.status when 'trial' then s.trial_ends_at else s.renews_at end between {at} and (select {at}::timestamptz + interval '14 days') then 'at_end'
        else 'active' end"""
