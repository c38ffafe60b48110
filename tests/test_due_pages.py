"""Due rows in the console: who sees which, what their states are called, and how one is tried again or dropped. Shown on deliveries."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from success import clock, due, roles
from success.events import DELIVERIES
from success.models import Colleague, Delivery, Event, MessageTemplate, Send
from success.notifications import notify, sending
from tests.factories import ContactFactory, StaffFactory, SupplierFactory

LIST = "/admin/success/delivery/"


def staff(client, role):
    user = StaffFactory(first_name="Maya", last_name="Lind")
    user.groups.add(Group.objects.get(name=role))
    client.force_login(user)
    return user


@pytest.fixture
def boss(db, client):
    return staff(client, roles.ADMINISTRATOR)


def delivery(*, state="refused", name="Sarah Berg", owner=None, ago=timedelta(minutes=5), error="ValueError: odd", attempts=10):
    supplier, at = SupplierFactory(owner=owner), clock.now()
    ContactFactory(supplier=supplier, name=name)
    event = Event.objects.create(name="health.risk_changed", supplier=supplier, at=at, payload={})
    about = {"subscriber": "tests.nobody", "due_at": at - ago, "error": error, "attempts": attempts}
    return Delivery.objects.create(event=event, supplier=supplier, state=state, **about)


def one(row):
    return reverse("admin:success_delivery_change", args=[row.pk])


def test_a_row_says_what_is_wrong_and_what_to_do(client, boss):
    for state, words in (("refused", "mend the cause"), ("unknown", "look on the other side")):
        row = delivery(state=state, name="Sarah <i>Berg", error="<script>alert(1)</script>")
        page = client.get(one(row)).text
        assert "needs a person" in page and words in page and "Try again" in page and "Drop" in page
        assert "Sarah &lt;i&gt;Berg" in page and "<script>alert" not in page
    listed = client.get(LIST).text
    assert "health.risk_changed to tests.nobody" in listed and "refused: needs a person" in listed and "<script>alert" not in listed


@pytest.mark.parametrize(
    ("state", "ago", "attempts", "words", "filters"),
    [
        ("queued", timedelta(minutes=1), 0, "due now", {"due"}),
        ("queued", timedelta(minutes=1), 2, "due again", {"due"}),
        ("queued", timedelta(minutes=-1), 0, "due later", {"later"}),
        ("queued", timedelta(minutes=-1), 2, "tried again later", {"later"}),
        ("claimed", timedelta(minutes=1), 1, "being done", {"claimed"}),
        ("accepted", timedelta(minutes=1), 1, "done", {"accepted"}),
        ("refused", timedelta(minutes=1), 1, "refused: needs a person", {"left", "refused"}),
        ("unknown", timedelta(minutes=1), 1, "not known whether done: needs a person", {"left", "unknown"}),
        ("dropped", timedelta(minutes=1), 1, "dropped", {"dropped"}),
    ],
)
def test_each_state_has_words_and_a_filter(client, boss, state, ago, attempts, words, filters):
    row = delivery(state=state, ago=ago, attempts=attempts)
    assert words in client.get(one(row)).text
    keys = ("left", "refused", "unknown", "due", "later", "claimed", "accepted", "dropped")
    assert {key for key in keys if client.get(f"{LIST}?is={key}").context["cl"].queryset.exists()} == filters
    assert ("Drop" in client.get(one(row)).text) == (state in ("queued", "refused", "unknown"))


def test_tried_again_from_its_page(client, boss):
    row = delivery()
    answer = client.post(reverse("console:due_again", args=["success.delivery"]), {"rows": row.pk, "next": one(row)}, follow=True)
    assert "1 row is due now" in answer.text and answer.redirect_chain[-1][0] == one(row)
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("queued", 0)
    assert due.run(due.registered()[DELIVERIES], at=clock.now()) == {"refused": 1}  # nobody subscribes by that name in a test
    Delivery.objects.update(state="accepted")
    assert "None of these waits" in client.post(reverse("console:due_again", args=["success.delivery"]), {"rows": row.pk}, follow=True).text


def test_dropped_in_a_dialog_for_a_reason_that_stays(client, boss):
    row = delivery()
    url = reverse("console:due_drop", args=["success.delivery"])
    form = client.get(f"{url}?rows={row.pk}&fragment").text
    assert "Drop this delivery" in form and "<html" not in form and "<html" in client.get(f"{url}?rows={row.pk}").text
    refused = client.post(f"{url}?fragment", {"rows": row.pk, "reason": " "})
    assert "This field is required" in refused.text and Delivery.objects.get().state == "refused"
    answer = client.post(f"{url}?fragment", {"rows": row.pk, "reason": "told her by <b>phone", "next": one(row)})
    assert (answer.status_code, answer["Location"]) == (204, one(row))
    row.refresh_from_db()
    assert (row.state, row.error, row.ended_by) == ("dropped", "told her by <b>phone", boss) and row.ended_at
    page = client.get(one(row)).text
    assert "Why: told her by &lt;b&gt;phone" in page and "by Maya Lind" in page


def test_many_at_once_from_the_list(client, boss):
    rows = [delivery(), delivery(state="unknown"), delivery(state="accepted")]
    chosen = {"_selected_action": [row.pk for row in rows]}
    assert "2 rows are due now" in client.post(LIST, {"action": "try_again", **chosen}, follow=True).text
    page = client.post(LIST, {"action": "drop", **chosen}, follow=True)
    assert "Drop 3 deliveries" in page.text and page.text.count('name="rows"') == 3
    assert "2 rows are dropped" in client.post(page.redirect_chain[-1][0], {"rows": [row.pk for row in rows], "reason": "no"}, follow=True).text
    assert sorted(Delivery.objects.values_list("state", flat=True)) == ["accepted", "dropped", "dropped"]


def test_leads_see_and_administrators_act(client, db):
    row, urls = delivery(), [reverse(f"console:due_{name}", args=["success.delivery"]) for name in ("again", "drop")]
    staff(client, roles.LEAD)
    page = client.get(one(row)).text
    assert "needs a person" in page and "An administrator can try it again" in page and "due/success.delivery" not in page
    assert [client.post(url, {"rows": row.pk, "reason": "x"}).status_code for url in urls] == [403, 403]
    assert "try_again" not in client.get(LIST).text
    staff(client, roles.MANAGER)
    assert client.get(LIST).status_code == 403
    row.refresh_from_db()
    assert row.state == "refused"


def test_her_own_book_alone(client, boss):
    theirs, hers = delivery(name="Olga Lind"), delivery(name="Ana Novak", owner=boss)
    Colleague.objects.create(user=boss, own_book_only=True)
    assert list(client.get(LIST).context["cl"].queryset) == [hers]
    assert client.get(one(theirs)).status_code == 302
    for name in ("again", "drop"):
        client.post(reverse(f"console:due_{name}", args=["success.delivery"]), {"rows": [theirs.pk, hers.pk], "reason": "x"})
    theirs.refresh_from_db()
    hers.refresh_from_db()
    assert (theirs.state, hers.state) == ("refused", "dropped")


@pytest.mark.parametrize(("model", "rows", "status"), [("success.supplier", "1", 404), ("no.such", "1", 404), ("success.delivery", "-1,x", 302)])
def test_only_rows_that_are_due_rows(client, boss, model, rows, status):
    assert client.post(reverse("console:due_again", args=[model]), {"rows": rows}).status_code == status


def test_an_event_says_who_was_told(client, boss):
    row = delivery()
    page = client.get(reverse("admin:success_event_change", args=[row.event_id])).text
    assert "tests.nobody" in page and "refused: needs a person" in page and one(row) in page


def test_the_operations_page_counts_what_is_due_and_leads_to_it(client, boss):
    assert "nothing due" in client.get("/admin/operations/").text
    for state in ("refused", "unknown", "queued", "claimed"):
        delivery(state=state)
    delivery(state="queued", ago=timedelta(minutes=-9))
    page = client.get("/admin/operations/").text
    for words in (
        "2 deliveries need a person",
        "1 delivery due and not done, the first for 0:05:0",
        *(f"{LIST}?is={key}" for key in ("left", "due", "later", "claimed")),
    ):
        assert words in page


# ---------------------------------------------------------------- letters


@pytest.fixture
def letter(db):
    """One that was begun by a worker who died: nobody knows whether it went out."""
    at = clock.now()
    MessageTemplate.objects.create(key="hello", category="tips", subject="Hello", text="Hello {{ first_name }}", cap_days=0)
    contact = ContactFactory(name="Sarah Berg")
    notify(supplier=contact.supplier_id, template="hello", context={}, category="tips", key="k1", at=at, channels=("email",))
    Send.objects.update(state="unknown", attempts=1, subject="Hello", text="Hello Sarah\n\nand welcome", frozen_at=at, due_at=at - timedelta(minutes=5))
    return Send.objects.get()


def test_a_letter_of_which_nobody_knows_goes_out_again_with_the_same_words(client, boss, sink, letter):
    page = reverse("admin:success_send_change", args=[letter.pk])
    listed = client.get(reverse("admin:success_send_changelist") + "?is=left").text
    assert "hello by email" in listed and "Sarah Berg" in listed and "needs a person" in listed
    assert "Hello Sarah<br><br>and welcome" in client.get(page).text
    client.post(reverse("console:due_again", args=["success.send"]), {"rows": letter.pk, "next": page})
    assert due.run(sending.KIND, at=clock.now()) == {"accepted": 1}
    assert sink.letters[0].get_body(("plain",)).get_content().startswith("Hello Sarah")


def test_or_is_dropped_for_a_reason_and_whoever_asked_for_it_hears(client, boss, letter):
    client.post(reverse("console:due_drop", args=["success.send"]), {"rows": letter.pk, "reason": "she told us that it came"})
    letter.refresh_from_db()
    assert (letter.state, letter.error, letter.ended_by) == ("dropped", "she told us that it came", boss)
    assert Event.objects.get(name="success.notification_sent").payload["outcome"] == "dropped"
