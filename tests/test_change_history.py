"""History: who changed what, when, before and after, of anything a person can edit."""

import json

import pghistory
import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.urls import reverse
from django_celery_beat.models import PeriodicTask

from success import activity, catalogue, clock, history, keys, privacy, roles, saved_views, suppliers, work
from success.models import Colleague, Contact, CustomField, EventName, Supplier
from success.models.due import DueRow
from tests.factories import ContactFactory, SourceFactory, StaffFactory, SupplierFactory


@pytest.fixture
def ada(db, client):
    ada = StaffFactory(username="ada", first_name="Ada", last_name="Novak")
    ada.groups.add(Group.objects.get(name=roles.ADMINISTRATOR))
    client.force_login(ada)
    return ada


def known(**about):
    """A supplier of whom the product has said something before."""
    return SupplierFactory(**about, said_at={"plan": "2026-01-01T00:00:00+00:00"})


def changes(row):
    return history.changes(type(row), [row.pk], before=clock.now())


def told(row):
    return [(change.what, change.by and change.by.username, *((step.field, step.before, step.after) for step in change.steps)) for change in changes(row)]


def form_of(client, url, **changed):
    """The fields of a form as the page shows them, with some changed."""
    adminform = client.get(url).context["adminform"]
    sent = {name: adminform.form.get_initial_for_field(field, name) for name, field in adminform.form.fields.items()}
    return {name: "" if value is None else value for name, value in sent.items()} | changed


def test_a_change_on_a_page_is_signed_with_before_and_after(client, ada):
    maya, supplier = StaffFactory(username="maya", first_name="Maya", last_name=""), SupplierFactory(plan="basic", owner=None)
    url = reverse("admin:success_supplier_change", args=[supplier.pk])
    inline = {"contacts-TOTAL_FORMS": 0, "contacts-INITIAL_FORMS": 0}
    dates = {f"{name}_{part}": "" for name in ("created_at", "trial_ends_at", "renews_at", "cancelled_at") for part in (0, 1)}
    sent = form_of(client, url, plan="pro", owner=maya.pk, custom="{}") | inline | dates
    assert client.post(url, {name: value for name, value in sent.items() if value is not False}).status_code == 302
    assert told(supplier)[0][:2] == ("changed", "ada")
    assert {("plan", "basic", "pro"), ("owner", None, "Maya")} <= set(told(supplier)[0][2:])
    page = client.get(reverse("admin:success_supplier_history", args=[supplier.pk])).content.decode()
    assert "by Ada Novak" in page and "Plan: basic → pro" in page


def test_each_step_joins_the_one_before(ada):
    supplier = known(plan="a")
    for plan in ("b", "c", "d"):
        suppliers.update(suppliers.lock([supplier.pk])[supplier.pk], {"plan": plan}, at=clock.now())
    assert told(supplier) == [("changed", None, ("plan", x, y)) for x, y in (("c", "d"), ("b", "c"), ("a", "b"))]


def test_what_is_first_said_of_a_supplier_changes_nothing(db):
    for n, plan in enumerate(("pro", "pro", "studio")):
        raw = json.dumps({"type": "identify", "userId": "sarah", "messageId": str(n), "traits": {"status": "trial", "plan": plan}}).encode()
        activity.take([raw], kind=None, source=SourceFactory(), received_at=clock.now())
    assert told(Supplier.objects.get(external_id="sarah")) == [("changed", None, ("plan", "pro", "studio"))]


def test_of_custom_fields_only_those_that_changed_are_told(ada):
    CustomField.objects.create(name="seats")
    supplier = known(custom={"seats": 5, "region": "north"})
    suppliers.update(suppliers.lock([supplier.pk])[supplier.pk], {"custom": {"seats": 6}}, at=clock.now())
    assert told(supplier) == []  # the product's own, which may move with every message
    with pghistory.context(user=ada.pk):
        suppliers.update(suppliers.lock([supplier.pk])[supplier.pk], {"custom": {"seats": 7}}, at=clock.now())
    assert told(supplier) == [("changed", "ada", ("seats", 6, 7))]


def test_handing_over_many_at_once_is_remembered_of_each(ada):
    maya = StaffFactory(username="maya", first_name="", last_name="")
    ours = [known(owner=ada) for _ in range(3)]
    suppliers.hand_over([one.pk for one in ours], to=maya, at=clock.now())
    assert [told(one) for one in ours] == [[("changed", None, ("owner", "Ada Novak", "maya"))]] * 3


def test_over_the_api_the_key_stands_for_its_holder(client, db):
    supplier = known(plan="basic")
    key = keys.create(source=SourceFactory(), name="billing", scopes=["write"])[1]
    headers = {"authorization": f"Bearer {key}"}
    assert client.patch(f"/api/v1/suppliers/{supplier.external_id}/", {"plan": "pro"}, "application/json", headers=headers).status_code == 200
    assert [(change.by, change.through) for change in changes(supplier)] == [(None, "the API key “billing”")]


def test_of_a_person_only_what_changed_is_kept_and_never_a_value(client, ada):
    contact = ContactFactory(name="Sarah Lund", email="sarah@example.com")
    Contact.objects.filter(pk=contact.pk).update(name="Sarah Berg", email="berg@example.com")
    assert {step.field for change in changes(contact) for step in change.steps} == {"name", "email"}
    assert not any(step.kept for change in changes(contact) for step in change.steps)
    stored = list(history.past_of(Contact).objects.values())
    assert len(stored) == 2 and "Lund" not in str(stored) and "example.com" not in str(stored)
    assert "personal: what it was is not kept" in client.get(reverse("admin:success_supplier_history", args=[contact.supplier_id])).content.decode()


def test_what_does_not_change_what_a_person_edits_is_not_remembered(db):
    supplier = SupplierFactory()
    Supplier.objects.filter(pk=supplier.pk).update(changed_at=clock.now(), plan=supplier.plan)
    assert changes(supplier) == []


def test_the_schedule_the_catalogue_and_colleagues_are_remembered_too(ada, client):
    task, event = PeriodicTask.objects.get(name="health.assess"), EventName.objects.get(name="Form Created")
    PeriodicTask.objects.filter(pk=task.pk).update(enabled=False, total_run_count=7)
    User.objects.filter(pk=ada.pk).update(last_name="Berg")
    catalogue_page = reverse("admin:success_eventname_change", args=[event.pk])
    client.post(catalogue_page, form_of(client, catalogue_page, description="A form was made", kept="client_id,count,page"))
    assert told(task) == [("changed", None, ("Enabled", True, False))]
    assert told(event) == [("changed", "ada", ("description", None, "A form was made"))]
    assert told(ada) == [("changed", None, ("last name", "Novak", "Berg"))]
    catalogue.forget()


def test_a_task_that_goes_to_another_and_a_role_that_changes_are_told(ada, client):
    maya, tom = (StaffFactory(username=name, first_name=name.capitalize(), last_name="") for name in ("maya", "tom"))
    for one in (maya, tom):
        one.groups.add(Group.objects.get(name=roles.MANAGER))
    supplier = SupplierFactory(owner=maya)
    work.plan(supplier=supplier.pk, title="Call her", due_on=clock.now().date(), assignee=maya, by=ada, at=clock.now())
    client.post(reverse("console:book", args=[maya.pk]), {"to": tom.pk, "with_tasks": "on"})
    page = client.get(reverse("admin:success_supplier_history", args=[supplier.pk])).text
    assert "Task “Call her” changed" in page and "Assignee: Maya → Tom" in page and "Owner: Maya → Tom" in page and "by Ada Novak" in page
    client.post(reverse("console:colleague", args=[tom.pk]), {"role": roles.LEAD})
    assert "Role: success manager → lead" in client.get(reverse("admin:auth_user_history", args=[tom.pk])).text


def test_of_a_view_it_is_told_who_changed_it_and_nothing_that_was_typed(ada, client):
    view = saved_views.save(name="Call Sarah", query={}, shared=True, opens_first=False, by=StaffFactory(), at=clock.now())
    url = reverse("console:view_change", args=[view.pk])
    client.post(url, {"name": "VIP", "shared": "on"})
    page = client.get(url).text
    assert "Changed: name by Ada Novak" in page and "Call Sarah" not in page


def test_where_rows_come_and_go_that_is_remembered(ada):
    field = CustomField.objects.create(name="company")
    assert told(field) == [("made", None)]
    kept = field.pk
    field.delete()
    assert [change.what for change in history.changes(CustomField, [kept], before=clock.now())] == ["deleted", "made"]


def test_everything_that_can_be_edited_has_a_history(ada, rf):
    """A model whose page somebody may change, and that is not remembered, fails here."""
    request = rf.get("/")
    request.user = ada
    pages = [(model, page) for model, page in admin.site._registry.items() if not issubclass(model, DueRow)]  # whose rows are done again or dropped, not edited
    editable = [model for model, page in pages if page.has_change_permission(request)]
    assert len(editable) > 5 and all(history.past_of(model) for model in editable)


def test_the_erased_leave_no_history(db):
    contact = ContactFactory(name="Sarah Lund")
    supplier = contact.supplier
    suppliers.update(suppliers.lock([supplier.pk])[supplier.pk], {"plan": "pro"}, at=clock.now())
    privacy.erase(supplier.external_id, at=clock.now(), opaque="erased-1")
    assert history.past_of(Supplier).objects.count() == history.past_of(Contact).objects.count() == 0


def test_whoever_keeps_to_their_own_book_reads_no_other_history(client, db):
    maya = StaffFactory(username="maya")
    maya.groups.add(Group.objects.get(name=roles.MANAGER))
    Colleague.objects.create(user=maya, own_book_only=True)
    client.force_login(maya)
    theirs, hers = SupplierFactory(), SupplierFactory(owner=maya)
    page = [client.get(reverse("admin:success_supplier_history", args=[one.pk])) for one in (theirs, hers)]
    assert [answer.status_code for answer in page] == [302, 200]


def test_the_timeline_tells_who_changed_what_of_the_account(client, ada):
    supplier = known(plan="basic", trial_ends_at=None)
    url = f"/admin/suppliers/{supplier.pk}/"
    suppliers.update(suppliers.lock([supplier.pk])[supplier.pk], {"plan": "pro", "status": "past_due"}, at=clock.now())
    suppliers.hand_over([supplier.pk], to=ada, at=clock.now())
    page = client.get(url).content.decode()
    assert page.count("Account changed") == 2
    assert "plan: basic → pro" in page and "owner: none → Ada Novak" in page and "status:" not in page
