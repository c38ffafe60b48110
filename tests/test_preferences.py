"""What she wants to be told: over the API, and by the links in her letters. Opening a link changes nothing; a post needs nobody signed in."""

from datetime import timedelta

import pytest
from django.core import signing
from django.test import Client

from success import clock, history
from success.models import Notification, Preferences, Send, Supplier
from success.notifications import links, notify, preferences, switch
from tests import callers
from tests.callers import Api, is_problem
from tests.factories import StaffFactory, SupplierFactory
from tests.hostile import ORDERS
from tests.test_admin import staff
from tests.test_notifications import box, sarah, tell, template  # noqa: F401

# ruff: noqa: F811
MINE, INBOX = "/api/v1/suppliers/me/preferences/", "/api/v1/suppliers/me/notifications/"
AS_IT_COMES = {
    "channels": {"in_app": True, "email": True},
    "categories": {"tips": True, "milestones": True, "rewards": True, "calls": True},
    "quiet_hours": {"start": "21:00", "end": "08:00"},
    "paused_until": None,
}


@pytest.fixture
def her(sarah) -> Api:
    return Api(callers.token("sarah"))


# ---------------------------------------------------------------- over the API


def test_she_says_what_she_wants_a_part_at_a_time(her):
    assert her.get(MINE).json() == AS_IT_COMES
    assert her("PUT", MINE, {"channels": {"email": False}}).json() == AS_IT_COMES | {"channels": {"in_app": True, "email": False}}
    said = {"categories": {"tips": False}, "quiet_hours": {"start": "19:30", "end": "09:00"}, "paused_until": "2026-12-24T10:00:00Z"}
    now = her("PUT", MINE, said).json()
    assert now == {**AS_IT_COMES, **said, "channels": {"in_app": True, "email": False}, "categories": {**AS_IT_COMES["categories"], "tips": False}}
    assert her.get(MINE).json() == now
    again = her("PUT", MINE, {"channels": {"email": True}, "quiet_hours": None, "paused_until": None}).json()
    assert again == AS_IT_COMES | {"categories": now["categories"]}
    assert her("PUT", MINE, {}).json() == again
    changes = history.changes(Preferences, [Supplier.objects.get().pk], before=clock.now() + timedelta(seconds=1))
    assert len(changes) >= 2 and changes[0].through == "the product"


def test_they_may_come_before_anything_else_is_known(db):
    assert Api(callers.token("newcomer")).get(MINE).status_code == 404
    assert Api(callers.token("newcomer"))("PUT", MINE, {"channels": {"email": False}}).status_code == 200
    assert Supplier.objects.get(external_id="newcomer").preferences.channels == {"email": False}
    answer = Api(callers.key("write"))("PUT", "/api/v1/suppliers/another/preferences/", {})
    assert answer.json() == AS_IT_COMES


@pytest.mark.parametrize(
    "body",
    [
        {"channels": {"email": "no"}}, {"channels": {"email": 0}}, {"channels": {"email": None}}, {"channels": {"pigeon": True}}, {"channels": []},
        {"channels": None}, {"categories": {"staff": False}}, {"categories": {"tips": []}}, {"quiet_hours": {"start": "21:00"}},
        {"quiet_hours": {"start": "24:00", "end": "08:00"}}, {"quiet_hours": {"start": "9pm", "end": "8am"}}, {"quiet_hours": {"start": 21, "end": 8}},
        {"quiet_hours": "none"}, {"paused_until": "tomorrow"}, {"paused_until": "2026-12-24"}, {"paused_until": 5}, {"nosuch": 1}, [], "no", 5,
    ],
)  # fmt: skip
def test_what_is_no_wish_is_refused_and_changes_nothing(her, body):
    answer = her("PUT", MINE, body)
    assert answer.status_code in (400, 422) and is_problem(answer)
    assert not Preferences.objects.exists()


def test_the_inbox_counts_what_she_has_not_read(her, sarah, template):
    at = clock.now() - timedelta(hours=1)
    for n in range(3):
        tell(sarah, f"k{n}", at=at)
    tell(sarah, "later", at=at, due_at=at + timedelta(days=1))
    notify(supplier=SupplierFactory().pk, template="first_steps", context={"clients": 1}, category="tips", key="other", at=at)
    first = her.get(f"{INBOX}?limit=2").json()
    assert first["unread"] == 3 and len(first["results"]) == 2
    assert set(first["results"][0]) == {"id", "category", "title", "text", "link", "at", "read_at"}
    rest = her.get(first["next"].removeprefix("http://testserver")).json()
    assert (len(rest["results"]), rest["next"], rest["unread"]) == (1, None, 3)
    n = first["results"][0]["id"]
    read = her.post(f"{INBOX}{n}/read/", {}).json()
    assert read["read_at"] and her.post(f"{INBOX}{n}/read/", {}).json() == read
    assert her.get(INBOX).json()["unread"] == 2
    others = Notification.objects.exclude(supplier=sarah).get()
    for pk in (others.pk, 10**17, 10**30):
        assert her.post(f"{INBOX}{pk}/read/", {}).status_code == 404
    assert Notification.objects.get(pk=others.pk).read_at is None
    assert her.post(f"{INBOX}{n}/read/", {"x": 1}).status_code == 422


def test_no_in_the_product_is_kept_there_too(her, sarah, template):
    her("PUT", MINE, {"channels": {"in_app": False}})
    assert tell(sarah).not_in_app and her.get(INBOX).json() == {"results": [], "next": None, "unread": 0}


# ---------------------------------------------------------------- by the links in a letter


def path_of(link: str) -> str:
    return "/" + link.split("/", 3)[3]


@pytest.mark.parametrize("link", [links.unsubscribe, links.preferences])
def test_opening_a_link_changes_nothing(sarah, link):
    browser = Client(enforce_csrf_checks=True)
    for method in ("get", "head"):
        for more in ("", "?utm_source=x&fbclid=y"):
            answer = getattr(browser, method)(path_of(link(sarah.pk)) + more)
            assert answer.status_code == 200 and not answer.cookies
            assert answer["Referrer-Policy"] == "no-referrer" and answer["Cache-Control"] == "no-store"
    assert not Preferences.objects.exists()


@pytest.mark.parametrize(
    "sent", [{"data": "List-Unsubscribe=One-Click", "content_type": "application/x-www-form-urlencoded"}, {"data": {"List-Unsubscribe": "One-Click"}}, {}]
)
def test_one_post_unsubscribes_without_cookie_or_sign_in(sarah, template, sent):
    tell(sarah)
    answer = Client(enforce_csrf_checks=True).post(path_of(links.unsubscribe(sarah.pk)), **sent)
    assert answer.status_code == 200 and "You are unsubscribed" in answer.text and "Location" not in answer
    assert Send.objects.get().gate == "channel_off"
    first = Preferences.objects.get().unsubscribed_at
    assert first
    Client().post(path_of(links.unsubscribe(sarah.pk)))
    assert Preferences.objects.get().unsubscribed_at == first


def test_the_page_of_wishes(sarah):
    path = path_of(links.preferences(sarah.pk))
    page = Client(enforce_csrf_checks=True).post(path, {"tips": "on", "pause": "30"})
    assert page.status_code == 200 and "Saved." in page.text
    wanted = preferences.shown(sarah.pk)
    assert wanted["channels"] == {"in_app": True, "email": False}
    assert wanted["categories"] == {"tips": True, "milestones": False, "rewards": False, "calls": False}
    assert timedelta(days=29) < wanted["paused_until"] - clock.now() <= timedelta(days=30)
    Client().post(path, {"email": "on", "tips": "on", "pause": "none", "quiet_hours": "x"})
    assert preferences.shown(sarah.pk)["paused_until"] is None and preferences.shown(sarah.pk)["channels"]["email"]
    assert Preferences.objects.get().unsubscribed_at is None


def test_a_link_is_good_for_one_supplier_and_one_thing(sarah, settings):
    settings.RATE_LIMIT_ANONYMOUS = [1000, 1000]
    other = SupplierFactory()
    good, elsewhere = links.unsubscribe(sarah.pk), links.preferences(sarah.pk)
    token = good.rstrip("/").rpartition("/")[2]
    bad = [token[:-1], token[::-1], token.replace(str(sarah.pk), str(other.pk), 1), elsewhere.rstrip("/").rpartition("/")[2], str(sarah.pk), "x" * 500, "%00", *(
        signing.Signer(salt=links.UNSUBSCRIBE).sign(one) for one in ("", "me", "0", str(10**30), "-1")
    )]  # fmt: skip
    for one in bad:
        for method in ("get", "post"):
            answer = getattr(Client(), method)(f"/unsubscribe/{one}/")
            assert answer.status_code == 404 and not Preferences.objects.exists(), one
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another key that is long enough for whoever looks at its length"
    settings.SECRET_KEY_FALLBACKS = [old]
    assert Client().post(path_of(good)).status_code == 200  # a letter of last year, under a key of last year


def test_links_have_a_limit(sarah, settings):
    settings.RATE_LIMIT_ANONYMOUS = [1, 2]
    answers = [Client().get(path_of(links.unsubscribe(sarah.pk))).status_code for _ in range(5)]
    assert answers.count(429) == 3


# ---------------------------------------------------------------- the console


def test_a_lead_stops_all_sending_from_the_first_page_and_resumes_it(client, sarah, template):
    tell(sarah, at=clock.now())
    staff(client, "lead")
    assert "Stop all sending" in client.get("/admin/").text
    assert client.post("/admin/sending/stop/?fragment", {"reason": ""}).status_code == 200 and switch.current() is None
    assert client.post("/admin/sending/stop/?fragment", {"reason": ORDERS[0]}).status_code == 204
    page = client.get("/admin/").text
    assert "All sending is stopped" in page and "1 message waits." in " ".join(page.split()) and ORDERS[0] not in page
    client.post("/admin/sending/resume/")
    assert switch.current() is None and "All sending is stopped" not in client.get("/admin/").text


def test_a_manager_reads_that_it_is_stopped_and_cannot_change_it(client, sarah):
    switch.stop(reason="a fault", by=StaffFactory(first_name="Ada"), at=clock.now())
    staff(client, "success manager")
    page = client.get("/admin/").text
    assert "All sending is stopped" in page and "a fault" in page and "Resume sending" not in page
    assert client.post("/admin/sending/resume/").status_code == client.post("/admin/sending/stop/", {"reason": "x"}).status_code == 403


def test_what_is_not_set_is_said_on_the_first_page(client, sarah, settings):
    settings.POSTAL_ADDRESS = settings.REPLY_TO = ""
    staff(client, "lead")
    assert "Set REPLY_TO, POSTAL_ADDRESS" in client.get("/admin/").text


def test_a_template_is_looked_at_before_it_is_saved(client, sarah, template):
    staff(client, "administrator")
    path = f"/admin/messagetemplates/{template.pk}/preview/"
    typed = {"subject": "Dear {{ first_name }}", "text": "{{ no_such }}", "supplier": sarah.pk}
    assert "no_such" in client.post(path, typed).text
    seen = client.post(path, typed | {"text": "<b>{{ name }}</b>"}).text
    assert "Dear Sarah" in seen and "&lt;b&gt;Sarah Wilson&lt;/b&gt;" in seen
    form = {"category": "tips", "subject": "{{ x", "text": "x", "cap_days": 7, "good_for_days": 3, "example": "{}"}
    answer = client.post(f"/admin/success/messagetemplate/{template.pk}/change/", form)
    assert answer.status_code == 200 and "This cannot be read" in answer.text
    assert client.post(f"/admin/success/messagetemplate/{template.pk}/change/", form | {"subject": "{{ x }}"}).status_code == 302
    assert "→ {{ x }}" in client.get(f"/admin/success/messagetemplate/{template.pk}/history/").text


def test_her_timeline_tells_what_was_said_and_that_she_wants_no_more(client, sarah, template, box):
    tell(sarah, at=clock.now())
    preferences.unsubscribe(sarah.pk, at=clock.now())
    staff(client, "success manager")
    page = client.get(f"/admin/suppliers/{sarah.pk}/").text
    assert all(text in page for text in ("Mail not sent", "She wants nothing by this channel.", "Told in the product", "Unsubscribed from mail"))
