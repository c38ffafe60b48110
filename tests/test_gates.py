# ruff: noqa: F811  (fixtures of a neighbour)
"""What stands between a message and its being sent: each gate with its reason, the nights of three zones, and that a no holds from the moment it was said."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from django.db import IntegrityError, connection, transaction

from success import due
from success.models import Contact, Event, MessageTemplate, Preferences, Send, SendingStop, Slot, Supplier
from success.notifications import cancel, gates, mail, notify, notify_staff, preferences, sending, switch
from tests.factories import ContactFactory, StaffFactory, SupplierFactory
from tests.test_notifications import NOW, Box, box, run, sarah, tell, template  # noqa: F401

TOMORROW = NOW + timedelta(days=1)


def why() -> tuple[str, str, list[str]]:
    send = Send.objects.get()
    return send.state, send.gate, send.gates


# ---------------------------------------------------------------- each gate


def paused_account(sarah):
    Supplier.objects.update(status="paused")


def internal_account(sarah):
    Supplier.objects.update(internal=True)


def without_address(sarah):
    Contact.objects.update(email="")


def without_anybody(sarah):
    Contact.objects.all().delete()


def no_mail(sarah):
    Preferences.objects.create(supplier=sarah, channels={"email": False}, changed_at=NOW)


def no_tips(sarah):
    Preferences.objects.create(supplier=sarah, categories={"tips": False}, changed_at=NOW)


def address_that_refused(sarah):
    mail.suppress(" Sarah@Example.ORG", reason="550 no such user", at=NOW)


def had_one(sarah):
    slot(sarah, NOW - timedelta(days=6, hours=23))


def old_one(sarah):
    Send.objects.update(latest_at=NOW - timedelta(seconds=1))


def slot(supplier, since, days=7):
    about = {"supplier": supplier, "template": MessageTemplate.objects.get(key="first_steps")}
    return Slot.objects.create(key=f"slot {since}", during=(since, since + timedelta(days=days)), **about)


SHUT = [
    (paused_account, "service"),
    (internal_account, "service"),
    (without_address, "no_address"),
    (without_anybody, "no_address"),
    (no_mail, "channel_off"),
    (no_tips, "category_off"),
    (address_that_refused, "suppressed"),
    (had_one, "cap"),
    (old_one, "late"),
]


@pytest.mark.parametrize(("shut", "gate"), SHUT, ids=lambda one: getattr(one, "__name__", one))
def test_a_gate_that_stays_shut_drops_the_letter_and_says_so(box, sarah, template, shut, gate):
    tell(sarah)
    shut(sarah)
    assert run() == {}
    assert why() == ("dropped", gate, [gate])
    assert Send.objects.get().error == gates.WORDS[gate]
    told = Event.objects.get(name="success.notification_sent").payload
    assert (told["outcome"], told["reason"]) == ("dropped", gate)
    assert box.letters == []


def test_every_gate_that_was_shut_is_on_record_and_the_first_decides(box, sarah, template):
    tell(sarah)
    no_mail(sarah)
    internal_account(sarah)
    had_one(sarah)
    Preferences.objects.update(paused_until=TOMORROW)
    run()
    assert why() == ("dropped", "service", ["service", "channel_off", "cap", "paused"])


def test_a_pause_defers_until_its_end_and_drops_what_would_then_be_too_late(box, sarah, template):
    preferences.change(sarah.pk, {"paused_until": TOMORROW}, at=NOW)
    tell(sarah)
    run()
    assert (*why(), Send.objects.get().due_at) == ("queued", "paused", ["paused"], TOMORROW)
    assert run(TOMORROW) == {"accepted": 1}
    assert why() == ("accepted", "", [])
    preferences.change(sarah.pk, {"paused_until": TOMORROW + timedelta(days=30)}, at=TOMORROW)
    tell(sarah, "k2", at=TOMORROW + timedelta(days=8))
    run(TOMORROW + timedelta(days=8))
    assert Send.objects.get(key="k2").state == "dropped" and Send.objects.get(key="k2").gate == "paused"


@pytest.mark.parametrize("name", ["SENDER_NAME", "REPLY_TO", "POSTAL_ADDRESS"])
def test_without_saying_who_we_are_no_supplier_is_written_to_but_our_own_people_are(box, sarah, template, settings, name):
    setattr(settings, name, "")
    tell(sarah)
    notify_staff(user=StaffFactory(email="lead@example.org"), template="staff_notice", context={"title": "Hello", "text": "There."}, key="s", at=NOW)
    assert run() == {"accepted": 1}
    assert [letter.rcpt_tos for letter in box.letters] == [["lead@example.org"]]
    held = Send.objects.get(key="k1")
    assert (held.state, held.gate) == ("queued", "settings")
    assert timedelta(0) <= held.due_at - NOW - timedelta(minutes=1) < timedelta(seconds=5)
    setattr(settings, name, "set")
    assert run(NOW + timedelta(minutes=2)) == {"accepted": 1}


@pytest.mark.parametrize("gate", [had_one, "night", "pause"])
def test_a_reason_overrules_the_days_between_the_night_and_a_pause_and_nothing_else(box, sarah, template, gate):
    at = NOW.replace(hour=23) if gate == "night" else NOW
    if gate == "pause":
        preferences.change(sarah.pk, {"paused_until": TOMORROW}, at=NOW)
    elif gate == had_one:
        had_one(sarah)
    tell(sarah, overrule="She asked for it on the phone.", at=at)
    assert run(at) == {"accepted": 1}
    no_mail(sarah) if gate != "pause" else preferences.change(sarah.pk, {"channels": {"email": False}}, at=at)
    tell(sarah, "k2", overrule="She asked for it on the phone.", at=at)
    run(at)
    assert Send.objects.get(key="k2").gate == "channel_off"


def asked(supplier, template, *, at):
    return gates.asked([supplier.pk], template=template.key, category="tips", at=at)[supplier.pk]


def test_whoever_asks_beforehand_hears_the_same(box, sarah, template):
    assert asked(sarah, template, at=NOW) == gates.Standing([], None)
    night = asked(sarah, template, at=NOW.replace(hour=23))
    assert (night.failed, night.until, night.final) == (["quiet"], TOMORROW.replace(hour=8), False)
    had_one(sarah)
    switch.stop(reason="a fault", by=StaffFactory(), at=NOW)
    found = asked(sarah, template, at=NOW)
    assert (found.failed, found.final, found.until) == (["stopped", "cap"], True, None)


# ---------------------------------------------------------------- nights


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


NIGHTS = [  # zone, hours, an instant, when it may be sent
    ("Europe/London", None, "2026-11-24 07:59:59", "2026-11-24 08:00"),
    ("Europe/London", None, "2026-11-24 08:00", None),
    ("Europe/London", None, "2026-11-24 20:59:59", None),
    ("Europe/London", None, "2026-11-24 21:00", "2026-11-25 08:00"),
    ("Europe/Berlin", None, "2026-03-28 22:30", "2026-03-29 06:00"),  # the clock jumps that night
    ("Europe/Berlin", None, "2026-10-24 21:30", "2026-10-25 07:00"),  # and falls back that night
    ("America/New_York", None, "2026-03-08 03:00", "2026-03-08 12:00"),
    ("America/New_York", None, "2026-11-01 03:00", "2026-11-01 13:00"),
    ("Australia/Lord_Howe", None, "2026-10-03 12:00", "2026-10-03 21:00"),  # half an hour forward
    ("Australia/Lord_Howe", None, "2026-04-04 12:00", "2026-04-04 21:30"),  # half an hour back
    ("Europe/Berlin", ("01:00", "02:30"), "2026-03-29 00:30", "2026-03-29 01:30"),  # 02:30 is skipped
    ("Europe/Berlin", ("01:00", "02:30"), "2026-10-25 00:10", "2026-10-25 01:30"),  # 02:30 comes twice
    ("Europe/Berlin", ("12:00", "14:00"), "2026-11-24 12:30", "2026-11-24 13:00"),
    ("Europe/Berlin", ("00:00", "00:00"), "2026-11-24 02:00", None),  # none at all
    ("Nowhere/Else", None, "2026-11-24 22:00", "2026-11-25 08:00"),  # a zone that there is not: ours
    ("", None, "2026-11-24 12:00", None),
]


@pytest.mark.parametrize(("zone", "hours", "at", "until"), NIGHTS)
def test_nights_in_her_own_zone(sarah, template, zone, hours, at, until):
    Contact.objects.update(timezone=zone)
    if hours:
        preferences.change(sarah.pk, {"quiet_hours": dict(zip(("start", "end"), hours, strict=True))}, at=utc(at))
    found = asked(sarah, template, at=utc(at))
    assert (found.failed, found.until) == ((["quiet"], utc(until)) if until else ([], None))
    if until:
        assert asked(sarah, template, at=utc(until)).failed == []


def test_what_comes_at_night_goes_in_the_morning(box, sarah, template):
    tell(sarah, at=NOW.replace(hour=22))
    assert run(NOW.replace(hour=22)) == {}
    assert run(TOMORROW.replace(hour=7, minute=59)) == {}
    assert run(TOMORROW.replace(hour=8)) == {"accepted": 1}


# ---------------------------------------------------------------- the days between two


def test_two_letters_of_one_kind_in_one_batch_are_one(box, sarah, template):
    tell(sarah, "k1")
    tell(sarah, "k2")
    due.run(sending.KIND, at=NOW)
    assert sorted(Send.objects.values_list("state", "gate")) == [("accepted", ""), ("dropped", "cap")]
    assert len(box.letters) == 1
    tell(sarah, "k3", at=NOW + timedelta(days=7) - timedelta(seconds=1))
    run(NOW + timedelta(days=7) - timedelta(seconds=1))
    assert Send.objects.get(key="k3").gate == "cap"
    tell(sarah, "k4", at=NOW + timedelta(days=7, seconds=1))
    assert run(NOW + timedelta(days=7, seconds=1)) == {"accepted": 1}


def test_what_never_went_out_takes_up_nobodys_turn(box, sarah, template):
    box.answers["sarah@example.org"] = "550 5.7.1 not today"
    tell(sarah)
    assert run() == {"refused": 1}
    assert not Slot.objects.exists()
    box.answers.clear()
    tell(sarah, "k2")
    assert run() == {"accepted": 1}


def race(template, supplier, *, threads: int = 16) -> int:
    """How many of so many at once get a turn."""
    together = Barrier(threads)
    start = NOW

    def one(n: int) -> int:
        try:
            together.wait()
            with transaction.atomic():
                Slot.objects.create(
                    key=f"turn {n}", supplier=supplier, template=template, during=(start + timedelta(hours=n), start + timedelta(days=7, hours=n))
                )
            return 1
        except IntegrityError:
            return 0
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(one, range(threads)))


@pytest.fixture
def real(committed) -> MessageTemplate:
    """A template whose rows are committed."""
    return MessageTemplate.objects.create(key="first_steps", category="tips", subject="Hello {{ first_name }}", text="Hello.", in_app_title="Hello")


def test_the_days_between_are_a_constraint_whoever_writes(real):
    assert race(real, SupplierFactory()) == 1


def test_the_check_of_it_can_fail(real):
    """Without the constraint more than one gets a turn: what looks for that sees it."""
    with connection.cursor() as cursor:
        cursor.execute("alter table success_slot drop constraint slot_one_in_its_days")
    try:
        assert race(real, SupplierFactory()) > 1
    finally:
        Slot.objects.all().delete()
        with connection.schema_editor() as editor:
            editor.add_constraint(Slot, next(one for one in Slot._meta.constraints if one.name == "slot_one_in_its_days"))


def worker(at=NOW) -> dict[str, int]:
    try:
        return dict(due.run(sending.KIND, at=at))
    finally:
        mail.hang_up()
        connection.close()


def test_sixteen_workers_send_each_supplier_one(real, box):
    people = [ContactFactory(email=f"s{n}@example.org").supplier for n in range(10)]
    for n in range(160):
        notify(supplier=people[n % 10].pk, template="first_steps", context={}, category="tips", key=f"k{n}", at=NOW, channels=["email"])
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: worker(), range(16)))
    assert sorted(letter.rcpt_tos[0] for letter in box.letters) == sorted(f"s{n}@example.org" for n in range(10))
    assert Send.objects.filter(state="accepted").count() == 10 and Send.objects.filter(state="dropped", gate="cap").count() == 150


# ---------------------------------------------------------------- a no holds


def test_after_she_unsubscribed_nothing_of_hers_is_claimed(real, box):
    people = [ContactFactory(email=f"s{n}@example.org").supplier for n in range(200)]
    MessageTemplate.objects.update(cap_days=0)
    for n in range(2000):
        notify(supplier=people[n % 200].pk, template="first_steps", context={}, category="tips", key=f"k{n}", at=NOW, channels=["email"])
    said_no = {}
    with ThreadPoolExecutor(5) as pool:
        workers = [pool.submit(worker) for _ in range(4)]

        def unsubscribe() -> None:
            for n, one in enumerate(people[:60]):
                preferences.unsubscribe(one.pk, at=NOW)
                said_no[n] = Send.objects.filter(supplier=one).exclude(state__in=["queued", "dropped"]).count()
            connection.close()

        pool.submit(unsubscribe).result()
        for one in workers:
            one.result()
    for n, before in said_no.items():
        found = Send.objects.filter(supplier=people[n])
        assert found.exclude(state="dropped").count() <= before, "claimed after she said no"
        assert not found.filter(state="queued").exists()
    assert Send.objects.filter(state="dropped", gate="channel_off").count() > 0
    assert Send.objects.filter(state="accepted").count() == len(box.letters)


def test_what_was_claimed_is_looked_at_again_before_it_leaves(box, sarah, template):
    tell(sarah)
    [held] = due.claim(sending.KIND, at=NOW)
    sending.prepare([held.key], at=NOW)
    preferences.unsubscribe(sarah.pk, at=NOW)
    assert due.carry_out(sending.KIND, held, at=NOW) == "lost"
    assert why() == ("dropped", "channel_off", ["channel_off"]) and box.letters == []


def test_a_notice_whose_cause_is_gone_is_withdrawn(box, sarah, template):
    tell(sarah, cause="offer:1")
    tell(sarah, "k2", cause="offer:2", template="first_steps")
    assert cancel(cause="offer:1", at=NOW) == 1
    assert cancel(cause="", at=NOW) == 0
    assert Send.objects.get(key="k1").gate == "cause"
    assert run() == {"accepted": 1}


# ---------------------------------------------------------------- the kill switch


def test_nothing_goes_out_while_all_is_stopped_and_all_of_it_after(box, sarah, template):
    boss = StaffFactory()
    tell(sarah)
    switch.stop(reason="a wrong number in all letters", by=boss, at=NOW)
    switch.stop(reason="twice", by=boss, at=NOW)
    assert SendingStop.objects.count() == 1
    assert run() == {} and why() == ("queued", "stopped", ["stopped"])
    assert switch.resume(by=boss, at=NOW) and not switch.resume(by=boss, at=NOW)
    assert run() == {"accepted": 1} and why() == ("accepted", "", [])


def test_a_stop_holds_what_was_claimed(box, sarah, template):
    tell(sarah)
    [held] = due.claim(sending.KIND, at=NOW)
    sending.prepare([held.key], at=NOW)
    switch.stop(reason="a fault", by=StaffFactory(), at=NOW)
    assert due.carry_out(sending.KIND, held, at=NOW) == "lost" and run() == {}
    send = Send.objects.get()
    assert (send.gate, send.attempts, send.due_at, box.letters) == ("stopped", 0, NOW, [])
    switch.resume(by=StaffFactory(), at=NOW)
    assert run() == {"accepted": 1}


def test_a_worker_that_died_before_the_call_lost_nothing(box, sarah, template):
    tell(sarah)
    [held] = due.claim(sending.KIND, at=NOW)
    sending.prepare([held.key], at=NOW)
    Send.objects.update(leased_until=NOW - timedelta(days=1))
    assert run() == {"accepted": 1}
    assert len(box.letters) == 1


def test_of_one_that_died_after_it_nobody_guesses(box, sarah, template):
    tell(sarah)
    [held] = due.claim(sending.KIND, at=NOW)
    sending.prepare([held.key], at=NOW)
    assert due.begin(sending.KIND, held, at=NOW)
    Send.objects.update(leased_until=NOW - timedelta(days=1))
    assert run() == {"taken over": 1}
    assert Send.objects.get().state == "unknown" and box.letters == []
    assert Event.objects.get(name="success.notification_sent").payload["outcome"] == "unknown"
