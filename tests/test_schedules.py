"""When things are due, as a table: intervals, wall clocks, and their two odd nights."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from celery.schedules import crontab
from hypothesis import given
from hypothesis import strategies as st

from success.schedules import Crontab, Interval

BERLIN = ZoneInfo("Europe/Berlin")


def cron(line: str, timezone: str = "UTC") -> Crontab:
    minute, hour, day, month, weekday = line.split()
    fields = crontab(minute, hour, weekday, day, month)
    return Crontab(*map(frozenset, (fields.minute, fields.hour, fields.day_of_week, fields.day_of_month, fields.month_of_year)), timezone=ZoneInfo(timezone))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "at", "latest"),
    [
        (Interval(timedelta(seconds=2)), "2026-11-23 10:00:03.999999", "2026-11-23 10:00:02"),
        (Interval(timedelta(seconds=2)), "2026-11-23 10:00:04", "2026-11-23 10:00:04"),
        (Interval(timedelta(minutes=10)), "2026-11-23 10:09:59", "2026-11-23 10:00"),
        (Interval(timedelta(days=1)), "2026-11-23 23:59:59", "2026-11-23"),
        (cron("5 0 * * *"), "2026-11-23 00:05", "2026-11-23 00:05"),
        (cron("5 0 * * *"), "2026-11-23 00:04:59", "2026-11-22 00:05"),
        (cron("5 0 * * *", "America/New_York"), "2026-11-23 05:04", "2026-11-22 05:05"),
        (cron("0 1 * * *", "Pacific/Kiritimati"), "2026-11-23 11:30", "2026-11-23 11:00"),  # already the 24th there
        (cron("0 9 * * 1"), "2026-11-22 12:00", "2026-11-16 09:00"),
        (cron("0 9 * * 0"), "2026-11-23 12:00", "2026-11-22 09:00"),
        (cron("0 0 31 * *"), "2026-11-23 12:00", "2026-10-31 00:00"),
        (cron("0 0 29 2 *"), "2026-11-23 12:00", "2024-02-29 00:00"),
        (cron("*/15 * * * *"), "2026-11-23 12:44", "2026-11-23 12:30"),
        (cron("0 2 * * *", "Europe/Berlin"), "2026-03-29 01:00", "2026-03-29 01:00"),  # skipped: due as the clock jumps
        (cron("30 2 * * *", "Europe/Berlin"), "2026-10-25 02:00", "2026-10-25 00:30"),  # shown twice: the first time
    ],
)
def test_the_latest_slot(schedule, at, latest):
    assert schedule.latest(utc(at)) == utc(latest)


def test_a_date_that_never_comes_has_no_slot():
    never = Crontab(*map(frozenset, ([0], [0], range(7), [30], [2])))
    assert never.latest(utc("2026-11-23")) is None


@pytest.mark.parametrize("night", ["2026-03-29", "2026-10-25"])
@pytest.mark.parametrize("line", ["30 2 * * *", "0 3 * * *", "59 1 * * *", "0 2 * * *"])
def test_a_daily_time_is_due_once_in_both_odd_nights(night, line):
    midnight = datetime.fromisoformat(night).replace(tzinfo=BERLIN)
    slots = cron(line, "Europe/Berlin").between(midnight.astimezone(UTC), (midnight + timedelta(days=1)).astimezone(UTC), limit=100)
    assert len(slots) == 1


@pytest.mark.parametrize(("night", "hours"), [("2026-03-28", 24), ("2026-03-29", 23), ("2026-10-25", 25)])
@pytest.mark.parametrize("timezone", ["Europe/Berlin"])
def test_an_hourly_time_is_due_each_hour_that_there_is(night, hours, timezone):
    midnight = datetime.fromisoformat(night).replace(tzinfo=ZoneInfo(timezone))
    until = (midnight + timedelta(days=1)).astimezone(UTC)
    slots = cron("30 * * * *", timezone).between(midnight.astimezone(UTC), until, limit=100)
    assert len(slots) == hours
    assert {later - earlier for earlier, later in pairwise(slots)} == {timedelta(hours=1)}


SCHEDULES = [
    Interval(timedelta(seconds=7)),
    Interval(timedelta(hours=5)),
    *(cron(line, zone) for line in ("30 2 * * *", "15 * * * *", "*/20 1-3 * * 0,6") for zone in ("UTC", "Europe/Berlin", "Australia/Lord_Howe")),
]


@given(st.sampled_from(SCHEDULES), st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)), st.timedeltas(timedelta(0), timedelta(days=3)))  # noqa: DTZ001
def test_slots_between_are_the_latest_ones_of_every_moment(schedule, after, length):
    after = after.replace(tzinfo=UTC)
    slots = schedule.between(after, after + length, limit=50)
    assert slots == sorted(set(slots)) and all(after < slot <= after + length for slot in slots)
    assert all(schedule.latest(slot) == slot for slot in slots)
    latest = schedule.latest(after + length)
    assert (slots[-1] == latest) if slots else latest <= after
    for earlier, later in pairwise(slots):
        assert schedule.latest(later - timedelta(microseconds=1)) == earlier


def test_of_too_many_the_newest():
    schedule = Interval(timedelta(minutes=1))
    assert schedule.between(utc("2026-11-01"), utc("2026-11-23"), limit=3) == [utc("2026-11-22 23:58"), utc("2026-11-22 23:59"), utc("2026-11-23")]
    daily = cron("5 0 * * *")
    assert daily.between(utc("2026-01-01"), utc("2026-11-23"), limit=2) == [utc("2026-11-21 00:05"), utc("2026-11-22 00:05")]
