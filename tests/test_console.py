"""The console: who needs me today, and what I do about it."""

import csv
import re
from datetime import timedelta

import msgspec
import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from config.console.urls import urlpatterns
from health import assessments, history, worklist
from health.models import Assessment, Closing, Snapshot
from interventions.models import Playbook
from milestones.models import Grant, Reward
from success import activity, clock, saved_views
from success.imports import uploads
from success.models import Colleague, DeadLetter, Delivery, Event, JobRun, MessageTemplate, Note, Snooze, Supplier, Task, Touchpoint
from tests.factories import ContactFactory, SourceFactory, StaffFactory, SupplierFactory
from tests.test_admin import COLLEAGUE_ROUTES


@pytest.fixture
def maya(db, client):
    """A success manager, signed in."""
    maya = StaffFactory(username="maya")
    maya.groups.add(Group.objects.get(name="success manager"))
    client.force_login(maya)
    return maya


@pytest.fixture
def sarah(maya):
    """Two weeks in, five clients, one form, quiet since."""
    now = clock.now()
    sarah = SupplierFactory(external_id="sarah", owner=maya, created_at=now - timedelta(days=14), mrr=49, currency="EUR")
    ContactFactory(supplier=sarah, name="Sarah Lund")
    raw = [{"type": "track", "userId": "sarah", "event": event, "timestamp": (now - timedelta(days=12)).isoformat()} for event in ("Signed In", "Form Created")]
    activity.take([msgspec.json.encode(one) for one in raw], kind=None, source=SourceFactory(), received_at=now - timedelta(days=12))
    assessments.assess(at=now)
    return sarah


def act(client, supplier, action, **fields):
    url = reverse("console:act", args=[supplier.pk, action])
    return client.post(url, {"next": reverse("console:today"), **fields}, follow=True)


def test_a_morning(client, maya, sarah):
    today = client.get("/admin/").text
    assert "Sarah Lund" in today and "no clients on" in today.lower()
    tomorrow = clock.now().date() + timedelta(days=1)
    act(client, sarah, "note", text="She waits for her price list.")
    act(client, sarah, "contacted", channel="call", outcome="reached", text="Shows me her forms on Friday.")
    act(client, sarah, "task", title="Send the form guide", due_on=tomorrow, assignee=maya.pk)
    answer = act(client, sarah, "snooze", until=tomorrow + timedelta(days=2), reason="agreed to talk on Friday")
    assert "Nobody needs you today" in answer.text and "1 snoozed" in answer.text and "Send the form guide" in answer.text
    page = client.get(reverse("console:supplier", args=[sarah.pk])).text
    for words in ("She waits for her price list.", "Shows me her forms on Friday.", "Send the form guide", "agreed to talk on Friday", "2 actions"):
        assert words in page
    client.post(reverse("console:wake", args=[sarah.pk]))
    assert "Sarah Lund" in client.get("/admin/").text


def test_who_fell_comes_first_then_money_as_it_is_usual_in_its_currency(db):
    """Crowns are many and worth little: 800 of them are less than 60 pounds where 800 crowns and 30 pounds are usual."""
    now = clock.now()
    for name, mrr, currency, days in (("crowns", 800, "SEK", 60), ("pounds", 60, "GBP", 60), ("few pounds", 10, "GBP", 60), ("trial", 0, "GBP", 60)):
        SupplierFactory(external_id=name, mrr=mrr, currency=currency, created_at=now - timedelta(days=days))
    raw = [json_of("Signed In", name, now - timedelta(days=20)) for name in ("crowns", "pounds", "few pounds", "trial")]
    activity.take(raw, kind=None, source=SourceFactory(), received_at=now)
    assessments.assess(at=now)
    assert [line.id for line in worklist.today(at=now)[0]["needing"].lines] == ["pounds", "crowns", "few pounds", "trial"]
    Assessment.objects.filter(supplier__external_id="trial").update(level_before="healthy", level_since=now)
    assert [line.id for line in worklist.today(at=now)[0]["needing"].lines] == ["trial", "pounds", "crowns", "few pounds"]


@pytest.mark.django_db
def test_where_enough_fell_they_are_found_without_ranking_the_others():
    now = clock.now()
    for n in range(30):
        SupplierFactory(external_id=f"s{n}", mrr=n * 7 % 30, created_at=now - timedelta(days=60))
    activity.take([json_of("Signed In", f"s{n}", now - timedelta(days=20)) for n in range(30)], kind=None, source=SourceFactory(), received_at=now)
    assessments.assess(at=now)
    Assessment.objects.update(level_since=now - timedelta(days=30))
    for fell in (0, 5, worklist.MOST, 25):
        Assessment.objects.filter(pk__in=Assessment.objects.order_by("pk")[:fell]).update(level_before="healthy", level_since=now)
        asked = worklist.params(owner=None, unassigned=False, at=now) | {"currencies": [""], "usual": [15.0]}
        ranked = worklist.keys_of(worklist.LISTS["needing"], asked)
        assert worklist.first(asked)["needing"][0] == ranked[0] and (len(ranked[0]), ranked[1]) == (worklist.MOST, 30)


def json_of(event, supplier, at):
    return msgspec.json.encode({"type": "track", "userId": supplier, "event": event, "timestamp": at.isoformat()})


def test_behind_what_today_counts_stand_the_suppliers_it_counts(client, maya, sarah):
    """The snoozed, those whose level somebody set, each level, and all of a list of which only the first are shown."""
    others = SupplierFactory.create_batch(23, owner=maya, created_at=clock.now() - timedelta(days=60))
    SupplierFactory(owner=maya, status="cancelled")
    assessments.assess(at=clock.now())
    act(client, others[0], "snooze", until=clock.now().date() + timedelta(days=3), reason="away")
    act(client, others[1], "override", level="healthy", reason="she called", until=clock.now().date() + timedelta(days=3))
    today = client.get("/admin/").text
    assert "20 of <a" in today and "Show" not in today
    lists = {n: href for href, n in re.findall(r'<a href="(/admin/success/supplier/[^"]*)">(\d+)[^<]*</a>', today)}
    counted = {n: client.get(href.replace("&amp;", "&")).context["cl"].result_count for n, href in lists.items()}
    assert counted == {n: int(n) for n in lists} and {"1", "22", "23"} <= set(lists)
    page = client.get(reverse("admin:success_supplier_changelist")).text
    assert "snoozed until" in page and "set by hand until" in page


def test_the_timeline_says_what_moved_a_level(client, maya, sarah):
    """She signed in 12 days ago: on the third, seventh and fourteenth day after it, time alone takes points."""
    history.backfill(first=(clock.now() - timedelta(days=13)).date(), last=(clock.now() - timedelta(days=1)).date())
    moved = [row for row in Snapshot.objects.filter(supplier=sarah).order_by("day") if row.by_time and row.by_time[0]]
    assert [row.by_time[0] for row in moved] == [-10, -10]
    Snapshot.objects.filter(supplier=sarah, day=moved[0].day).update(level="at_risk")
    assert "sign-in -10.0 as time passed" in client.get(reverse("console:supplier", args=[sarah.pk])).text


def test_what_was_typed_stays_when_it_cannot_be_taken(client, maya, sarah):
    answer = act(client, sarah, "snooze", until=clock.now().date() - timedelta(days=1), reason="on holiday")
    assert "Choose tomorrow or a later day." in answer.text and "on holiday" in answer.text
    assert not Snooze.objects.exists()


def test_a_task_is_done_once(client, maya, sarah):
    task = Task.objects.create(supplier=sarah, title="Call", due_on=clock.now().date(), assignee=maya, by=maya, at=clock.now())
    url = reverse("console:task_done", args=[task.pk])
    assert "Done: Call" in client.post(url, follow=True).text
    assert "already" in client.post(url, follow=True).text
    task = Task.objects.create(supplier=sarah, title="Call", due_on=clock.now().date(), assignee=maya, by=maya, at=clock.now())
    url = reverse("console:task_drop", args=[task.pk])
    assert "Say why" in client.post(url, follow=True).text
    assert "Dropped: Call" in client.post(url, {"because": "she called us"}, follow=True).text


def test_who_keeps_to_her_own_book_sees_nobody_else(client, maya, sarah):
    other = SupplierFactory(external_id="someone-else")
    ContactFactory(supplier=other, name="Olga Else")
    assessments.assess(at=clock.now())
    assert "Olga Else" in client.get("/admin/?whose=all").text
    Colleague.objects.create(user=maya, own_book_only=True)
    assert "Olga Else" not in client.get("/admin/?whose=all").text
    assert client.get(reverse("console:supplier", args=[other.pk])).status_code == 404
    assert act(client, other, "note", text="hello").status_code == 404
    assert not Note.objects.exists() and not Touchpoint.objects.exists()
    for model in ("success_supplier", "health_assessment", "success_event"):
        rows = client.get(reverse(f"admin:{model}_changelist")).context["cl"].queryset
        assert {row.supplier_id if hasattr(row, "supplier_id") else row.pk for row in rows} == {sarah.pk}, model
        hidden = Event.objects.get(supplier=other).pk if model == "success_event" else other.pk
        assert client.get(reverse(f"admin:{model}_change", args=[hidden])).status_code == 302


# ---------------------------------------------------------------- every route, and who may what there

ROUTES = {  # name -> the verbs it answers to; whether it is about one supplier, and what a manager sent away by her book gets
    "today": ({"GET", "HEAD"}, False),
    "supplier": ({"GET", "HEAD"}, True),
    "act": ({"GET", "HEAD", "POST"}, True),
    "wake": ({"POST"}, True),
    "end_override": ({"POST"}, True),
    "export": ({"GET", "HEAD"}, False),
    "view_save": ({"GET", "HEAD", "POST"}, False),
    "view_change": ({"GET", "HEAD", "POST"}, False),
    "view_delete": ({"POST"}, True),  # once deleted there is none
    "uploads": ({"GET", "HEAD", "POST"}, False),
    "upload": ({"GET", "HEAD", "POST"}, False),
    "upload_take": ({"POST"}, False),
    "upload_rejects": ({"GET", "HEAD"}, False),
    "scoring": ({"GET", "HEAD"}, False),
    "start": ({"GET", "HEAD", "POST"}, False),
    "portfolio": ({"GET", "HEAD"}, False),
    "milestones": ({"GET", "HEAD"}, False),
    "rewards": ({"GET", "HEAD"}, False),
    "settle": ({"POST"}, True),
    "revoke": ({"POST"}, True),
    "arriving": ({"GET", "HEAD"}, False),
    "operations": ({"GET", "HEAD"}, False),
    "run_again": ({"POST"}, False),
    "fold_again": ({"POST"}, False),
    "due_again": ({"POST"}, False),
    "due_drop": ({"GET", "HEAD", "POST"}, False),
    "stop_sending": ({"GET", "HEAD", "POST"}, False),
    "resume_sending": ({"POST"}, False),
    "preview": ({"POST"}, False),
    "condition_seen": ({"POST"}, False),
    "condition_values": ({"GET", "HEAD"}, False),
    "playbooks": ({"GET", "HEAD"}, False),
    "playbook": ({"GET", "HEAD"}, False),
    "playbook_switch": ({"POST"}, False),
    "playbook_preview": ({"GET", "HEAD", "POST"}, True),
    "task_done": ({"POST"}, True),
    "task_drop": ({"POST"}, True),
}
NOT_A_MANAGERS = (
    "start", "upload", "portfolio", "arriving", "operations", "run_", "fold_", "due_", "settle", "revoke", "stop_", "resume_", "playbook_switch",
)  # fmt: skip
SENT_BACK = ("upload", "run_again", "fold_again", "due_again", "resume_sending", "playbook_switch")
VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def address(name, supplier, maya):
    task = Task.objects.create(supplier=supplier, title="Call", due_on=clock.now().date(), assignee=maya, by=maya, at=clock.now())
    match name:
        case "view_change" | "view_delete":
            made = saved_views.save(name="Mine", query={}, shared=False, opens_first=False, by=maya, at=clock.now())
            return reverse(f"console:{name}", args=[made.pk])
        case "today" | "scoring" | "start" | "export" | "view_save" | "portfolio" | "milestones" | "rewards" | "arriving" | "operations":
            return reverse(f"console:{name}")
        case "uploads":
            return reverse("console:uploads")
        case "upload" | "upload_take" | "upload_rejects":
            content = b"id\nsarah\n"
            made = uploads.receive(name="c.csv", content=content, source=SourceFactory(), by=maya, at=clock.now())
            return reverse(f"console:{name}", args=[made.pk])
        case "run_again":
            at = clock.now()
            run = JobRun.objects.create(job="success.fold_again", slot=at, started_at=at, leased_until=at, finished_at=at, state="done")
            return reverse("console:run_again", args=[run.pk])
        case "fold_again":
            return reverse("console:fold_again", args=[DeadLetter.objects.create(received_at=clock.now(), messages=[], sqlstate="23514", error="").pk])
        case "due_again" | "due_drop":
            row = Delivery.objects.create(
                event=Event.objects.create(name="a", at=clock.now(), payload={}), subscriber="b", supplier=supplier, due_at=clock.now()
            )
            return reverse(f"console:{name}", args=["success.delivery"]) + f"?rows={row.pk}"
        case "settle":
            made = Grant.objects.create(reward=Reward.objects.first(), supplier=supplier, value=1, state="pending", at=clock.now())
            return reverse("console:settle", args=[made.pk])
        case "revoke":
            return reverse("console:revoke", args=[supplier.achievements.first().pk])
        case "stop_sending" | "resume_sending" | "playbooks" | "condition_seen" | "condition_values":
            return reverse(f"console:{name}")
        case "preview":
            return reverse("console:preview", args=[MessageTemplate.objects.first().pk])
        case "playbook" | "playbook_switch":
            return reverse(f"console:{name}", args=[Playbook.objects.first().pk])
        case "playbook_preview":
            return reverse("console:playbook_preview", args=[supplier.pk, "first_weeks_quiet"])
        case "task_done" | "task_drop":
            return reverse(f"console:{name}", args=[task.pk])
        case "act":
            return reverse("console:act", args=[supplier.pk, "note"])
    return reverse(f"console:{name}", args=[supplier.pk])


def test_every_route_has_a_row():
    assert {pattern.name for pattern in urlpatterns} == set(ROUTES) | set(COLLEAGUE_ROUTES)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("name", ROUTES)
def test_who_may_what(client, maya, sarah, name, verb):
    verbs, about_one = ROUTES[name]
    url = address(name, sarah, maya)
    if name.startswith(
        ("start", "upload", "portfolio", "arriving", "operations", "run_", "fold_", "due_", "settle", "revoke", "stop_", "resume_", "playbook_switch")
    ):  # are not a manager's
        maya.groups.set([Group.objects.get(name="administrator")])
    assert client.generic(verb, url).status_code in ({200, 302} if verb in verbs else {405})
    Supplier.objects.update(owner=None)
    Colleague.objects.create(user=maya, own_book_only=True)
    answer = client.generic(verb, url).status_code
    sent_back = name == "due_drop" or (verb == "POST" and name in SENT_BACK)
    assert answer == (405 if verb not in verbs else 404 if about_one else 302 if sent_back else 200)
    maya.groups.clear()
    assert client.generic(verb, url).status_code in (403, 405)
    client.logout()
    assert "/admin/login/" in client.generic(verb, url).headers["Location"]


@pytest.mark.parametrize("name", ["today", "supplier"])
def test_pages_ask_the_database_little(client, maya, sarah, name, django_assert_max_num_queries):
    for n in range(25):
        ContactFactory(supplier=SupplierFactory(external_id=f"many-{n}", owner=maya, mrr=n))
    assessments.assess(at=clock.now())
    url = reverse(f"console:{name}", args=[sarah.pk] if name == "supplier" else [])
    client.get(url)
    with django_assert_max_num_queries(30):
        assert client.get(url).status_code == 200


def test_hostile_words_stay_words(client, maya, sarah):
    evil = "<img src=x onerror=alert(1)>"
    Supplier.objects.update(plan=evil)
    sarah.contacts.update(name=evil)
    act(client, sarah, "note", text=evil)
    for url in ("/admin/", reverse("console:supplier", args=[sarah.pk]), reverse("console:act", args=[sarah.pk, "note"])):
        assert "<img src=x" not in client.get(url).text


# ---------------------------------------------------------------- the list of suppliers

LIST = "/admin/success/supplier/"


def named(client, query):
    return {supplier.external_id for supplier in client.get(f"{LIST}?{query}").context["cl"].queryset}


@pytest.fixture
def everybody(sarah, maya):
    """Beside Sarah one who is well, one who is new, one who left, and one of a colleague."""
    now = clock.now()
    for name, about in {
        "well": {"owner": maya},
        "new": {"owner": maya, "created_at": now - timedelta(days=1)},
        "left": {"owner": maya, "status": "cancelled"},
        "colleagues": {"owner": StaffFactory(username="tom")},
    }.items():
        SupplierFactory(external_id=name, plan="studio", **about)
    raw = [
        {"type": "track", "userId": "well", "event": event} for event in ("Signed In", "Form Created", "Clients Imported", "Journey Created", "Template Used")
    ]
    raw.append({"type": "track", "userId": "well", "event": "Client Active", "properties": {"client_id": "c1"}})
    activity.take([msgspec.json.encode(one) for one in raw], kind=None, source=SourceFactory(), received_at=now)
    assessments.assess(at=now)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("level=healthy", {"well"}),
        ("level=critical", {"sarah", "colleagues"}),
        ("level=none", {"new"}),
        ("stage=lost", {"left"}),
        ("stage=new", {"new"}),
        ("owner=mine", {"sarah", "well", "new"}),
        ("owner=tom", {"colleagues"}),
        ("owner=none", set()),
        ("signs=left_out", {"left"}),
        ("plan=studio&level=critical", {"colleagues"}),
        ("q=Sarah+Lund", {"sarah"}),
    ],
)
def test_filters(client, everybody, query, found):
    assert named(client, query) == found


def test_the_way_back_leads_to_the_list_as_it_was(client, everybody, sarah):
    page = client.get(f"{LIST}?level=critical&q=Sarah").text
    url = next(part for part in page.split('"') if part.startswith(f"/admin/suppliers/{sarah.pk}/?from"))
    assert 'href="/admin/success/supplier/?level=critical&amp;q=Sarah"' in client.get(url.replace("&amp;", "&")).text
    assert 'href="https://evil' not in client.get(f"/admin/suppliers/{sarah.pk}/?from=https://evil.example/").text


def chosen(client, action, *suppliers, **more):
    return client.post(LIST, {"action": action, "_selected_action": [supplier.pk for supplier in suppliers], **more})


def test_a_book_is_handed_over_after_saying_how_many(client, everybody, sarah, maya):
    assert "Hand over 2 suppliers" in chosen(client, "hand_over", sarah, Supplier.objects.get(external_id="well")).text
    assert Supplier.objects.filter(owner=maya).count() == 4
    tom = Supplier.objects.get(external_id="colleagues").owner
    act(client, sarah, "note", text="Likes mornings.")
    chosen(client, "hand_over", sarah, owner=tom.pk)
    sarah.refresh_from_db()
    assert (sarah.owner, sarah.notes.get().text) == (tom, "Likes mornings.")
    chosen(client, "hand_over", sarah, owner="")
    assert Supplier.objects.get(pk=sarah.pk).owner is None


def test_an_export_holds_what_was_chosen_and_no_formula(client, everybody, sarah):
    sarah.contacts.update(name='=HYPERLINK("http://evil.example")')
    answer = chosen(client, "export", sarah)
    [head, line] = list(csv.reader(b"".join(answer.streaming_content).decode().splitlines()))
    assert dict(zip(head, line, strict=True)) | {"score": ""} == {
        "id": "sarah", "name": "'=HYPERLINK(\"http://evil.example\")", "mail": sarah.contacts.get().email, "status": "active", "stage": "active",
        "level": "critical", "score": "", "plan": "pro", "vertical": "photographer", "mrr": "49.0", "currency": "EUR", "owner": "maya",
        "created_at": sarah.created_at.isoformat(), "trial_ends_at": "", "renews_at": "",
    }  # fmt: skip


def test_who_keeps_to_her_own_book_exports_and_hands_over_no_other(client, everybody, maya):
    Colleague.objects.create(user=maya, own_book_only=True)
    other = Supplier.objects.get(external_id="colleagues")
    chosen(client, "hand_over", other, owner=maya.pk)
    assert Supplier.objects.get(pk=other.pk).owner != maya
    answer = client.post(LIST, {"action": "export", "_selected_action": [other.pk], "select_across": "1"})
    assert "colleagues" not in b"".join(answer.streaming_content).decode()


@pytest.mark.parametrize("term", ["lund", "SARAH", "sarah"])
def test_search_finds_her_from_any_page_by_name_mail_or_id(client, everybody, sarah, maya, term):
    url = f"/admin/search/?s={term}&extended=1"
    assert reverse("console:supplier", args=[sarah.pk]) in client.get(url).text
    Colleague.objects.create(user=maya, own_book_only=True)
    ContactFactory(supplier=Supplier.objects.get(external_id="colleagues"), name="Olga Else")
    assert "Olga" not in client.get("/admin/search/?s=olga&extended=1").text


def test_the_start_of_an_empty_installation_is_ticked_by_fact(client, db):
    boss = StaffFactory()
    boss.groups.add(Group.objects.get(name="administrator"))
    client.force_login(boss)
    assert client.get("/admin/", follow=True).context["title"] == "Start"
    assert "Waiting for your first event" in client.get("/admin/start/").text
    key = client.post("/admin/start/").context["made"]
    sent = {"userId": "my-first-customer", "event": "Signed In"}
    assert client.post("/v1/track", sent, content_type="application/json", headers={"Authorization": f"Bearer {key}"}).status_code == 200
    assert "Signed In of" in client.get("/admin/start/?fragment").text
    assert key not in client.get("/admin/start/").text
    SupplierFactory(owner=StaffFactory())
    assert "console:start" not in client.get("/admin/").text and "/admin/start/" not in client.get("/admin/").text


def test_the_start_is_not_for_a_manager(client, maya):
    assert client.get("/admin/").context["title"] == "Today"
    assert client.get("/admin/start/").status_code == 403


def test_a_change_of_level_is_told_at_once_and_as_once_when_the_day_is_closed(client, maya, sarah):
    nothing = dict.fromkeys(["features", "clients_active", "clients_total", "forms_started", "forms_completed", "steps_started", "steps_completed"], 0)
    about = {"supplier": sarah, "status": "ok", "scorecard": "ws142", "version": 1}
    at = clock.now() - timedelta(days=1)
    before, today = at.date() - timedelta(days=1), at.date()
    Snapshot.objects.create(day=before, score=47.5, level="at_risk", **nothing, **about)
    Closing.objects.create(first_day=before, last_day=before)
    Assessment.objects.filter(supplier=sarah).delete()
    Assessment.objects.create(score=73.75, level="healthy", level_before="at_risk", level_since=at, changed_at=at, **about)
    address = reverse("console:supplier", args=[sarah.pk])
    assert client.get(address).text.count("From at risk to healthy") == 1
    Snapshot.objects.create(day=today, score=73.75, level="healthy", **nothing, **about)
    Closing.objects.create(first_day=today, last_day=today)
    assert client.get(address).text.count("From at risk to healthy") == 1


def test_the_timeline_goes_back_page_by_page(client, maya, sarah):
    for n in range(60):
        Note.objects.create(supplier=sarah, text=f"note number {n}.", by=maya, at=clock.now() - timedelta(hours=n))
    first = client.get(reverse("console:supplier", args=[sarah.pk]))
    older = client.get(reverse("console:supplier", args=[sarah.pk]), {"before": first.context["older"].isoformat()}).text
    assert "note number 0." in first.text and "note number 59." not in first.text
    assert "note number 59." in older and "note number 0." not in older
    assert client.get(reverse("console:supplier", args=[sarah.pk]), {"before": "yesterday"}).status_code == 200
