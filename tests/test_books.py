"""A whole book changes hands, with nothing dropped; and owners by a column of a file, or over the API."""

import csv
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection
from django.urls import reverse

from success import books, clock, colleagues, roles, suppliers, work
from success.imports.suppliers import NOBODY
from success.models import Colleague, Note, Snooze, Supplier, Task, Upload
from tests import callers
from tests.callers import Api
from tests.factories import StaffFactory, SupplierFactory
from tests.test_admin import staff
from tests.test_uploads import go_on, send


def manager(name, **about):
    user = StaffFactory(username=name, first_name=name.capitalize(), **about)
    user.groups.add(Group.objects.get(name=roles.MANAGER))
    return user


@pytest.fixture
def maya(db):
    """She owns three suppliers, one of whom left and one of whom is snoozed, and has tasks: one of them about nobody's supplier, one done."""
    maya, at = manager("maya"), clock.now()
    for name, about in {"sarah": {}, "left": {"status": "cancelled"}, "asleep": {}, "nobodys": {"owner": None}}.items():
        SupplierFactory(external_id=name, **{"owner": maya, **about})
    for name in ("sarah", "sarah", "nobodys"):
        plan(name, maya)
    work.finish(task=plan("sarah", maya), by=maya, at=at)
    work.snooze(supplier=of("asleep").pk, until=at + timedelta(days=3), reason="on holiday", by=maya, at=at)
    work.note(supplier=of("sarah").pk, text="Likes mornings.", by=maya, at=at)
    return maya


@pytest.fixture
def tom(db):
    return manager("tom")


def of(name):
    return Supplier.objects.get(external_id=name)


def plan(name, assignee):
    return work.plan(supplier=of(name).pk, title="Call", due_on=clock.now().date(), assignee=assignee, by=assignee, at=clock.now())


def post(client, whose, **fields):
    return client.post(reverse("console:book", args=[whose.pk]), fields, follow=True)


def held(user):
    return set(Supplier.objects.filter(owner=user).values_list("external_id", flat=True)), Task.objects.open().filter(assignee=user).count()


def test_a_book_is_looked_at_and_goes_whole(client, maya, tom):
    staff(client, roles.LEAD)
    page = client.get(reverse("console:book", args=[maya.pk])).text
    for words in (
        "3 suppliers",
        "1 of them cancelled, paused or internal",
        "3 open tasks",
        "1 of them about suppliers of others",
        "1 of the suppliers is snoozed",
    ):
        assert words in page
    answer = post(client, maya, to=tom.pk, with_tasks="on")
    assert "Maya&#x27;s book is now Tom&#x27;s: 3 suppliers, 3 open tasks." in answer.text
    assert (held(maya), held(tom)) == ((set(), 0), ({"sarah", "left", "asleep"}, 3))
    assert Task.objects.exclude(ended_at=None).get().assignee == maya  # what she did stays hers
    assert (Note.objects.get().by, Snooze.objects.active(clock.now()).get().supplier.owner) == (maya, tom)
    assert of("sarah").said_at["owner_id"]
    assert "book handed over to tom: 3 suppliers, 3 open tasks" in colleagues.history(maya).first().change_message
    assert "nothing to hand over" in client.get(reverse("console:book", args=[maya.pk])).text


def test_tasks_stay_where_they_are_to(client, maya, tom):
    staff(client, roles.LEAD)
    post(client, maya, to=tom.pk)
    assert (held(maya), held(tom)) == ((set(), 3), ({"sarah", "left", "asleep"}, 0))


def test_no_task_goes_where_it_is_not_seen(client, maya, tom):
    """Who keeps to the own book would never find a task about a supplier of somebody else."""
    Colleague.objects.create(user=tom, own_book_only=True)
    staff(client, roles.LEAD)
    assert "does not see" in post(client, maya, to=tom.pk, with_tasks="on").text
    assert held(maya) == ({"sarah", "left", "asleep"}, 3)
    of("nobodys").tasks.update(ended_at=clock.now())
    post(client, maya, to=tom.pk, with_tasks="on")
    assert held(tom) == ({"sarah", "left", "asleep"}, 2)


@pytest.mark.parametrize("who", ["herself", "deactivated", "without a role", "nobody"])
def test_who_cannot_take_it_over(client, maya, who):
    staff(client, roles.LEAD)
    to = {"herself": maya, "deactivated": manager("gone", is_active=False), "without a role": StaffFactory(), "nobody": None}[who]
    post(client, maya, to=to.pk if to else "", with_tasks="on")
    assert held(maya) == ({"sarah", "left", "asleep"}, 3)
    if to:
        with pytest.raises(books.NotWorking):
            books.hand_over(whose=maya, to=to, with_tasks=True, by=maya, at=clock.now())


def test_a_lead_who_keeps_to_her_own_book_takes_nobody_elses(client, maya):
    SupplierFactory(owner=maya)
    lina = staff(client, roles.LEAD)
    Colleague.objects.create(user=lina, own_book_only=True)
    url = reverse("console:book", args=[maya.pk])
    assert {client.get(url).status_code, client.post(url, {"to": lina.pk}).status_code} == {404}
    with pytest.raises(books.NotYours):
        books.hand_over(whose=maya, to=lina, with_tasks=False, by=lina, at=clock.now())
    assert not Supplier.objects.filter(owner=lina).exists()


def test_who_lets_a_colleague_go_is_offered_to_hand_over_what_is_left(client, maya, tom):
    staff(client, roles.ADMINISTRATOR)
    assert "3 suppliers</a>, 3 open tasks" in client.get(reverse("console:colleague", args=[maya.pk])).text
    url = reverse("console:colleague_act", args=[maya.pk, "deactivate"])
    answer = client.post(url, follow=True)
    maya.refresh_from_db()
    assert not maya.is_active and answer.redirect_chain == [(reverse("console:book", args=[maya.pk]), 302)]
    assert "Deactivated, and signed out everywhere." in answer.text
    post(client, maya, to=tom.pk, with_tasks="on")
    assert held(maya) == (set(), 0)
    assert client.post(reverse("console:colleague_act", args=[tom.pk, "reactivate"])).headers["Location"] == reverse("console:colleague", args=[tom.pk])


def test_a_lead_reaches_it_from_the_list_of_a_colleagues_suppliers(client, maya):
    staff(client, roles.LEAD)
    url = reverse("console:book", args=[maya.pk])
    assert url in client.get("/admin/success/supplier/?owner=maya").text
    assert url not in client.get("/admin/success/supplier/?owner=none").text
    staff(client, roles.MANAGER)
    assert url not in client.get("/admin/success/supplier/?owner=maya").text


def test_beside_others_who_give_and_take_nothing_is_dropped_or_snatched(committed):
    """While a book is handed over, some of it goes to Olga, and more comes in: each supplier ends with whoever was last given her, none with nobody."""
    maya, tom, olga = (StaffFactory(username=name, is_superuser=True) for name in ("maya", "tom", "olga"))
    mine = [SupplierFactory(owner=maya).pk for _ in range(60)]
    more = [SupplierFactory(owner=olga).pk for _ in range(20)]
    together = Barrier(3)

    def run(work):
        together.wait()
        try:
            return work()
        finally:
            connection.close()

    def give_each(ids, to):
        return [suppliers.hand_over([pk], to=to, at=clock.now()) for pk in ids]

    def hand_over_until_empty():
        moved = 0
        for _ in range(3):
            moved += books.hand_over(whose=maya, to=tom, with_tasks=True, by=olga, at=clock.now())[0]
        return moved

    with ThreadPoolExecutor(3) as pool:
        taken = pool.submit(run, lambda: give_each(reversed(mine[30:]), olga))
        given = pool.submit(run, lambda: give_each(more, maya))
        moved = pool.submit(run, hand_over_until_empty)
        taken.result(), given.result(), moved.result()
    books.hand_over(whose=maya, to=tom, with_tasks=True, by=olga, at=clock.now())
    owners = dict(Supplier.objects.values_list("pk", "owner__username"))
    assert {owners[pk] for pk in mine[:30] + more} == {"tom"}
    assert {owners[pk] for pk in mine[30:]} == {"olga"}


# ---------------------------------------------------------------- owners by a column

FILE = "id,plan,owner\nsarah,pro,tom\nben,basic,maya@example.org\ncleo,pro,who@example.org\ndora,basic,\nleft,pro,gone\n"


def test_a_column_names_owners_and_one_nobody_here_goes_by_is_told(client, maya, tom):
    staff(client, roles.LEAD)
    manager("gone", is_active=False)
    page = send(client, FILE).text
    assert "5 can be taken (2 without their owner), 0 not" in page and "nobody who works here goes by" in page
    page = go_on(client, Upload.objects.get()).text
    assert "3 new, 1 changed, 1 as they were, 0 not taken. 2 without their owner" in page
    owners = dict(Supplier.objects.filter(external_id__in=["sarah", "ben", "cleo", "dora", "left"]).values_list("external_id", "owner__username"))
    assert owners == {"sarah": "tom", "ben": "maya", "cleo": None, "dora": None, "left": "maya"}
    assert (of("cleo").plan, of("left").plan) == ("pro", "pro")  # the rest of the line was taken
    rows = list(csv.DictReader(client.get(reverse("console:upload_rejects", args=[Upload.objects.get().pk])).text.splitlines()))
    assert [(row["line"], row["reason"]) for row in rows] == [("4", NOBODY), ("6", NOBODY)]


def test_a_line_that_is_refused_is_not_told_twice(client, maya):
    staff(client, roles.LEAD)
    send(client, "id,mrr,owner\nsarah,lots,who\n")
    go_on(client, Upload.objects.get())
    upload = Upload.objects.get()
    assert (upload.refused, upload.partly, upload.rejects.count("sarah")) == (1, 0, 1)


def test_the_command_tells_of_owners_too(maya, tom, tmp_path, capsys):
    (tmp_path / "owners.csv").write_text(FILE)
    call_command("import_suppliers", tmp_path / "owners.csv", source="crm")
    said = capsys.readouterr().out
    assert "5 read: 3 new, 1 changed, 1 unchanged, 0 refused." in said and "2 of those taken without their owner" in said
    assert (tmp_path / "owners.csv.rejects.csv").read_text().count(NOBODY) == 2


# ---------------------------------------------------------------- owners over the API


@pytest.mark.parametrize(
    ("owner", "status", "then"), [("tom", 200, "tom"), ("TOM@example.org", 200, "tom"), (None, 200, None), ("gone", 422, "maya"), ("who", 422, "maya")]
)
def test_owners_over_the_api(maya, tom, owner, status, then):
    manager("gone", is_active=False)
    answer = Api(callers.key())("PATCH", "/api/v1/suppliers/sarah/", {"owner": owner})
    assert answer.status_code == status
    if status == 422:
        assert answer.json()["errors"] == [{"pointer": "/owner", "detail": "Nobody here goes by this name."}]
    assert (of("sarah").owner and of("sarah").owner.username) == then
