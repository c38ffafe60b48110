"""What a supplier reached is celebrated on her pages: once, in words with her own numbers, until she has seen it; and never in a pause."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from django.db import connection, transaction
from django.forms import modelform_factory
from django.test.utils import CaptureQueriesContext

from milestones import achievements, celebrations, digest, wording
from milestones.admin import MilestoneForm
from milestones.models import Achievement, Milestone, Reward
from milestones.requirements import parse
from success import activity, clock, due, privacy
from success.db import history
from success.models import MessageTemplate, Notification, Send, Supplier
from success.models.stream import Push
from success.notifications import letters, preferences
from success.notifications.sending import KIND
from tests.callers import Api, bearer, key, token
from tests.factories import ContactFactory, SourceFactory, StaffFactory, SupplierFactory
from tests.hostile import ORDERS

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=3)


def reach(*events: str, who: str = "sarah", clients: int = 0, at: datetime = NOW) -> Supplier:
    """What a supplier did, taken in and announced."""
    activity.ensure_partitions(now=at)
    about = [("Client Active", {"client_id": f"c{n}"}) for n in range(clients)] + [(event, {}) for event in events]
    sent = [{"type": "track", "userId": who, "event": event, "timestamp": at.isoformat(), "properties": more} for event, more in about]
    activity.take([json.dumps(one).encode() for one in sent], kind=None, source=SourceFactory(), received_at=at)
    achievements.announce(at=at)
    return Supplier.objects.get(external_id=who)


def said() -> list[dict]:
    return [dict(push.data) for push in Push.objects.filter(event="celebration", settled_at=None).order_by("pk")]


def seen(supplier: Supplier, milestone: str, *, at: datetime = NOW) -> None:
    assert achievements.see(supplier=supplier.pk, milestone=milestone, at=at)


# ---------------------------------------------------------------- what is said


def test_one_celebration(db):
    sarah = reach("Form Created")
    push = Push.objects.get(event="celebration")
    first = Achievement.objects.get(milestone__key="first_form")
    assert (push.supplier_id, push.key, push.waits, push.at) == (sarah.pk, f"celebration:{first.pk}", True, NOW)
    assert push.data == {
        "type": "full",
        "key": "first_form",
        "keys": ["first_form"],
        "title": "First form",
        "text": "Your first form is ready to send.\nSend it to one couple and see their answers arrive.",
        "at": "2026-11-20T12:00:00Z",
    }


def test_several_at_once_are_one_with_her_own_number(db):
    reach("Template Used", clients=27)
    [one] = said()
    assert (one["type"], one["key"], one["keys"]) == ("full", "client_list", ["client_list", "first_client_active", "first_template", "first_client"])
    assert one["text"].split("\n") == [
        "27 couples in one list. That is a season you can see at a glance.",
        "You also reached “A couple answers back”, “First template used” and “First client”.",
        "Sort them by wedding date and see which month is still open.",
    ]
    assert Notification.objects.get(title="Client list").text.startswith("27 couples in one list.")


def test_full_wins_over_note_and_none_is_not_pushed(db):
    Milestone.objects.filter(key="client_list").update(celebration="none")
    Milestone.objects.filter(key="first_client_active").update(celebration="note")
    reach(clients=25)
    assert [(one["type"], one["key"]) for one in said()] == [("full", "first_client_active")]
    Milestone.objects.filter(key="first_form").update(celebration="none")
    reach("Form Created", who="anna")
    assert len(said()) == 1


REWARDS = [
    ({"kind": "credit", "words": "For prints."}, "Yours now: Ten euros. For prints."),
    ({"kind": "credit"}, "Yours now: Ten euros."),
    ({"kind": "trial_extension", "words": "It is longer."}, "On its way to you: Ten euros."),
    ({"kind": "credit", "most": 0}, None),
]


@pytest.mark.parametrize(("about", "line"), REWARDS)
def test_the_reward_is_said_as_it_stands(db, about, line):
    reward = Reward.objects.create(key="ten", name="Ten euros", **about)
    Milestone.objects.filter(key="first_form").update(reward=reward)
    reach("Form Created")
    [one] = said()
    assert ("Ten euros" in one["text"]) == bool(line) == ("Ten euros" in Notification.objects.get().text)
    assert line is None or one["text"].split("\n")[1] == line


@pytest.mark.parametrize(("words", "requirement", "fine"), [
    ("{{ count }} couples", {"count": "clients", "at_least": 25}, True), ("{{ count }} weeks", {"streak": "weeks", "at_least": 4}, True),
    ("{{ count }} tools", {"features": 2}, True), ("One form", {"feature": "forms_created"}, True), ("{{ count }} forms", {"feature": "forms_created"}, False),
    ("{{ number }} couples", {"count": "clients", "at_least": 25}, False), ("{% if count %}x{% endif %}", {"count": "clients", "at_least": 2}, False),
])  # fmt: skip
def test_where_her_number_may_stand(db, words, requirement, fine):
    assert (wording.fault(words, parse(requirement)) == "") == fine
    form = modelform_factory(Milestone, MilestoneForm, fields=["words", "requirement"])(
        {"words": words, "requirement": json.dumps(requirement)}, instance=Milestone.objects.get(key="client_list")
    )
    form.full_clean()
    assert ("words" not in form.errors) == fine


def test_words_are_said_as_they_are_written(db):
    for n, order in enumerate(ORDERS):
        Milestone.objects.filter(key="first_form").update(words=order, name=order[:80])
        reach("Form Created", who=f"s{n}")
    assert [(one["title"], one["text"].rpartition("\n")[0]) for one in said()] == [(order[:80], order) for order in ORDERS]


def test_many_cost_no_more_queries_than_one(db):
    reach("Form Created", who="warm")
    activity.ensure_partitions(now=NOW)
    spent = []
    for names in (["a"], [f"s{n}" for n in range(30)]):
        sent = [{"type": "track", "userId": who, "event": "Client Active", "timestamp": NOW.isoformat(), "properties": {"client_id": f"c{n}"}}
                for who in names for n in range(26)]  # fmt: skip
        activity.take([json.dumps(one).encode() for one in sent], kind=None, source=SourceFactory(), received_at=NOW)
        with CaptureQueriesContext(connection) as queries:
            achievements.announce(at=NOW)
        spent.append(len(queries))
    assert spent[0] == spent[1] <= 25
    assert len(said()) == 32


def test_a_celebration_without_its_template_stops_no_announcement(db):
    MessageTemplate.objects.filter(key=celebrations.REACHED).delete()
    with structlog.testing.capture_logs() as logged:
        reach("Form Created")
    assert [one["event"] for one in logged] == ["not_in_the_inbox"]
    assert len(said()) == 1 and not Notification.objects.exists() and Achievement.objects.get().announced_at == NOW


# ---------------------------------------------------------------- silent


def test_history_is_not_celebrated_through_the_api_either(client, db):
    old, fresh = ((clock.now() - timedelta(hours=hours)).isoformat() for hours in (25, 1))
    batch = [{"type": "track", "userId": who, "event": "Form Created", "timestamp": at} for who, at in (("old", old), ("fresh", fresh))]
    assert client.post("/v1/batch", json.dumps({"batch": batch}), content_type="application/json", headers=bearer(key())).json()["accepted"] == 2
    achievements.announce(at=clock.now())
    assert set(Push.objects.values_list("supplier__external_id", "event")) == {("fresh", "celebration"), ("fresh", "notification")}
    assert digest.digest(at=clock.now() + timedelta(hours=3)) == 1


def test_what_is_said_to_be_history_is_neither_celebrated_nor_mailed(db):
    with history():
        reach("Form Created")
    assert said() == [] and digest.digest(at=LATER) == 0 and not Notification.objects.exists()


# ---------------------------------------------------------------- what she wants


NO = [{"channels": {"in_app": False}}, {"categories": {"milestones": False}}, {"paused_until": NOW + timedelta(days=1)}]


@pytest.mark.parametrize("wish", NO)
def test_nothing_where_she_wants_nothing(db, wish):
    sarah = SupplierFactory(external_id="sarah")
    preferences.change(sarah.pk, wish, at=NOW)
    reach("Form Created")
    assert said() == []
    assert Notification.objects.exists() == ("paused_until" in wish)


def test_what_waited_when_she_asks_for_a_pause_waits_no_longer(db):
    sarah = reach("Form Created")
    preferences.change(sarah.pk, {"quiet_hours": None}, at=NOW)
    assert len(said()) == 1
    preferences.change(sarah.pk, {"paused_until": LATER}, at=NOW)
    assert said() == [] and Notification.objects.get().read_at is None


@pytest.mark.parametrize("wish", [{"channels": {"in_app": False}}, {"categories": {"milestones": False}}])
def test_what_waited_when_she_says_no_waits_no_longer(db, wish):
    sarah = reach("Form Created")
    assert said()
    preferences.change(sarah.pk, wish, at=NOW)
    assert said() == []


def test_after_a_pause_it_is_in_the_inbox_and_in_one_mail(db):
    sarah = SupplierFactory(external_id="sarah")
    preferences.change(sarah.pk, {"paused_until": NOW + timedelta(days=1)}, at=NOW)
    reach("Form Created")
    assert digest.digest(at=LATER) == 0
    assert Notification.objects.get().read_at is None
    assert digest.digest(at=NOW + timedelta(days=1)) == 1
    assert said() == []


def test_a_week_later_it_is_no_news(db):
    reach("Form Created")
    assert digest.digest(at=NOW + timedelta(days=7)) == 0


# ---------------------------------------------------------------- seen


def test_seen_once_for_all_of_the_celebration(db):
    sarah, api = reach(clients=25), Api(token("sarah"))
    anna = reach("Form Created", who="anna")
    assert api.post("/api/v1/suppliers/me/milestones/first_client/seen/", {}).status_code == 200
    mine = Achievement.objects.filter(supplier=sarah)
    assert mine.count() == 3 and not mine.filter(seen_at=None).exists()
    first = set(mine.values_list("seen_at", flat=True))
    assert not Notification.objects.filter(supplier=sarah, read_at=None).exists()
    assert api.get("/api/v1/suppliers/me/notifications/").json()["unread"] == 0
    assert [one["key"] for one in said()] == ["first_form"]
    assert not Achievement.objects.filter(supplier=anna).exclude(seen_at=None).exists() and Notification.objects.get(supplier=anna).read_at is None
    api.post("/api/v1/suppliers/me/milestones/client_list/seen/", {})
    assert set(mine.values_list("seen_at", flat=True)) == first


def test_seen_of_two_celebrations_is_one(db):
    sarah = reach("Form Created")
    reach("Template Used", at=NOW + timedelta(minutes=1))
    seen(sarah, "first_form")
    assert [one["key"] for one in said()] == ["first_template"]
    assert Achievement.objects.get(milestone__key="first_template").seen_at is None


def test_what_she_saw_before_it_was_announced_is_not_celebrated(db):
    activity.ensure_partitions(now=NOW)
    message = {"type": "track", "userId": "sarah", "event": "Form Created", "timestamp": NOW.isoformat()}
    activity.take([json.dumps(message).encode()], kind=None, source=SourceFactory(), received_at=NOW)
    seen(Supplier.objects.get(external_id="sarah"), "first_form")
    achievements.announce(at=NOW)
    assert said() == []


def test_nobody_elses(db):
    reach("Form Created")
    SupplierFactory(external_id="anna")
    assert Api(token("anna")).post("/api/v1/suppliers/sarah/milestones/first_form/seen/", {}).status_code == 404
    assert Api(token("anna")).post("/api/v1/suppliers/me/milestones/first_form/seen/", {}).status_code == 404
    assert len(said()) == 1


def test_seen_while_it_is_being_announced_it_does_not_wait(committed):
    """Whoever sees waits for whoever announces, and then finds the celebration."""
    sarah = reach("Form Created")
    Achievement.objects.update(announced_at=None)
    Push.objects.all().delete()
    announcing, over = threading.Event(), threading.Event()

    def announce() -> None:
        with transaction.atomic():
            achievements.announce(at=NOW)
            announcing.set()
            over.wait(0.5)
        connection.close()

    thread = threading.Thread(target=announce)
    thread.start()
    assert announcing.wait(10)
    seen(sarah, "first_form")
    thread.join()
    assert said() == [] and Push.objects.filter(event="celebration").count() == 1


def test_seen_beside_a_revocation_neither_dies(committed):
    """Both take the achievement before its celebration."""
    for n in range(5):
        sarah = reach("Form Created", who=f"sarah-{n}")
        first = Achievement.objects.get(supplier=sarah, milestone__key="first_form")
        boss, failed, together = StaffFactory(), [], threading.Barrier(2)

        def at_once(work, failed=failed, together=together):
            try:
                together.wait()
                work()
            except Exception as error:
                failed.append(error)
            finally:
                connection.close()

        works = [
            lambda first=first, boss=boss: achievements.revoke(achievement=first.pk, because="by mistake", by=boss, at=NOW),
            lambda sarah=sarah: achievements.see(supplier=sarah.pk, milestone="first_form", at=NOW),
        ]
        threads = [threading.Thread(target=at_once, args=[work]) for work in works]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert failed == []


def test_taken_back_it_is_withdrawn(db):
    reach("Form Created")
    achievements.revoke(achievement=Achievement.objects.get().pk, because="a test", by=StaffFactory(), at=NOW)
    assert said() == [] and digest.digest(at=LATER) == 0
    assert Notification.objects.get().withdrawn_at == NOW


# ---------------------------------------------------------------- the mail


def work(at: datetime) -> None:
    due.run(KIND, at=at)


def test_unseen_after_two_hours_there_is_a_mail(db, sink, settings):
    settings.PRODUCT_URL = "https://app.example.com"
    ContactFactory(supplier=SupplierFactory(external_id="sarah"), name="Sarah Lund", email="sarah@example.org")
    reach(clients=25)
    assert digest.digest(at=NOW + timedelta(hours=1, minutes=59)) == 0
    reach("Form Created", at=NOW + timedelta(hours=1))
    assert digest.digest(at=NOW + timedelta(hours=2)) == 1
    assert digest.digest(at=NOW + timedelta(hours=2)) == 0
    work(NOW + timedelta(hours=2))
    [letter] = sink.letters
    said = letter.get_body(("plain",)).get_content().replace("\r\n", "\n")
    assert letter["Subject"] == "You reached “Client list”, and more"
    assert said.startswith(
        "Hi Sarah,\n\nYou got somewhere while nobody was looking, 4 times over:\n\n"
        "Client list. 25 couples in one list. That is a season you can see at a glance.\n\n"
    )
    assert "First form. Your first form is ready to send." in said and "What comes next: Sort them by wedding date" in said
    assert "See how far you are:\nhttps://app.example.com" in said


def test_one_mail_a_day_and_each_achievement_in_one(db, sink):
    ContactFactory(supplier=SupplierFactory(external_id="sarah"))
    reach("Form Created")
    digest.digest(at=LATER)
    work(LATER)
    reach("Template Used", at=LATER)
    for hours in (3, 23):
        assert digest.digest(at=LATER + timedelta(hours=hours)) == 0
    assert digest.digest(at=LATER + timedelta(hours=24, seconds=1)) == 1
    work(LATER + timedelta(hours=25))
    assert [letter["Subject"] for letter in sink.letters] == ["You reached “First form”", "You reached “First template used”"]


def test_seen_it_is_not_sent(db, sink):
    sarah = SupplierFactory(external_id="sarah")
    ContactFactory(supplier=sarah)
    reach("Form Created")
    reach("Template Used", at=NOW + timedelta(minutes=1))
    digest.digest(at=LATER)
    seen(sarah, "first_form", at=LATER)
    seen(sarah, "first_template", at=LATER)
    work(LATER)
    assert sink.letters == []
    assert (Send.objects.get().state, Send.objects.get().error) == ("dropped", "She has seen it.")


def test_half_seen_half_of_it_is_sent(db, sink):
    sarah = SupplierFactory(external_id="sarah")
    ContactFactory(supplier=sarah)
    reach("Form Created")
    reach("Template Used", at=NOW + timedelta(minutes=1))
    digest.digest(at=LATER)
    seen(sarah, "first_template", at=LATER)
    work(LATER)
    assert [letter["Subject"] for letter in sink.letters] == ["You reached “First form”"]


def test_read_in_the_inbox_there_is_no_mail(db):
    reach("Form Created")
    api = Api(token("sarah"))
    notice = Notification.objects.get()
    Notification.objects.update(at=clock.now() - timedelta(days=1))
    assert api.post(f"/api/v1/suppliers/me/notifications/{notice.pk}/read/", {}).status_code == 200
    assert digest.digest(at=LATER) == 0


def test_accounts_out_of_service_get_none(db):
    sarah = reach("Form Created")
    Supplier.objects.filter(pk=sarah.pk).update(status="cancelled")
    assert digest.digest(at=LATER) == 0


def test_the_example_of_the_mail_can_be_written(db):
    template = MessageTemplate.objects.get(key=digest.DIGEST)
    letter = letters.write(template, {**template.example, "sender": "WedSync"})
    assert letter.subject == "You reached “Client list”, and more" and "Yours now: In full swing." in letter.text


def test_many_suppliers_in_as_many_queries_as_one(db):
    spent = []
    for names in (["a"], [f"s{n}" for n in range(20)]):
        for name in names:
            reach(clients=25, who=name)
        with CaptureQueriesContext(connection) as queries:
            assert digest.digest_batch(at=LATER) == len(names)
        spent.append(len(queries))
    assert spent[0] == spent[1]


# ---------------------------------------------------------------- forgotten


def test_erased_nothing_is_said_of_her(db):
    reach("Form Created")
    digest.digest(at=LATER)
    privacy.erase("sarah", at=LATER, opaque="erased-1")
    assert not Push.objects.exists() and not Notification.objects.exists()
    assert Send.objects.get().context == {}
    work(LATER + timedelta(minutes=1))
    assert digest.digest(at=LATER) == 0
