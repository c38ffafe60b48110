"""The console's plain pages: each opens for who may see it, and for nobody else."""

import re

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.urls import reverse

from health.assessments import assess_touched
from success import activity, clock, keys, roles
from success.models import ApiKey, EventName, Supplier
from tests.factories import ContactFactory, SourceFactory, StaffFactory, SupplierFactory

OURS = [model for model in admin.site._registry if model._meta.app_label in ("success", "health", "milestones", "interventions", "django_celery_beat", "auth")]
HOSTILE = "<script>alert(1)</script>"


def staff(client, role):
    user = StaffFactory()
    user.groups.add(Group.objects.get(name=role))
    client.force_login(user)
    return user


@pytest.fixture
def sarah(db):
    supplier = SupplierFactory(external_id="sarah")
    ContactFactory(supplier=supplier, name=HOSTILE)
    message = b'{"type":"track","userId":"sarah","event":"Signed In","properties":{"page":"<script>alert(1)</script>"}}'
    activity.take([message], kind=None, source=SourceFactory(), received_at=clock.now())
    assess_touched(at=clock.now())
    return supplier


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_an_administrator_opens_every_page(client, sarah, model):
    staff(client, roles.ADMINISTRATOR)
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    page = client.get(reverse(f"{name}_changelist"), follow=True)
    assert page.status_code == 200
    assert HOSTILE not in page.content.decode()
    row = model.objects.first()
    if row is not None:
        page = client.get(reverse(f"{name}_change", args=[row.pk]))
        assert page.status_code == 200
        assert HOSTILE not in page.content.decode()


def test_a_manager_sees_suppliers_and_scores_but_no_keys(client, sarah):
    staff(client, roles.MANAGER)
    assert reverse("console:supplier", args=[sarah.pk]) in client.get(reverse("admin:success_supplier_changelist")).content.decode()
    assert "critical" in client.get(reverse("admin:health_assessment_changelist")).content.decode()
    assert client.get(reverse("admin:success_apikey_changelist")).status_code == 403
    assert client.get(reverse("admin:success_jobrun_changelist")).status_code == 403


def test_a_lead_also_sees_the_runs(client, sarah):
    staff(client, roles.LEAD)
    assert client.get(reverse("admin:success_jobrun_changelist")).status_code == 200
    assert client.get(reverse("console:colleagues")).status_code == 403


def test_a_stranger_is_asked_to_sign_in(client, db):
    page = client.get(reverse("admin:success_supplier_changelist"))
    assert page.status_code == 302
    assert "/admin/login/" in page["Location"]


def test_nobody_deletes_from_a_ledger(client, sarah):
    staff(client, roles.ADMINISTRATOR)
    for model in OURS:
        if model._meta.app_label in ("success", "health", "milestones", "interventions") and model.__name__ not in ("CustomField", "Segment"):
            assert not admin.site._registry[model].has_delete_permission(client.request().wsgi_request), model


def test_a_key_is_shown_once_and_opens_until_it_is_revoked(client, sarah):
    staff(client, roles.ADMINISTRATOR)
    form = {"source": SourceFactory().pk, "name": "product", "scopes": ["ingest"]}
    page = client.post(reverse("admin:success_apikey_add"), form, follow=True)
    key = next(word for word in page.content.decode().split() if word.startswith("cs_")).split("<")[0]
    assert keys.verify(key, at=clock.now()).scopes == {"ingest"}
    assert key not in client.get(reverse("admin:success_apikey_changelist")).content.decode()
    row = ApiKey.objects.get(name="product")
    its_page = reverse("admin:success_apikey_change", args=[row.pk])
    asked = dict(re.findall(r'<input type="hidden" name="(action|_selected_action)" value="(\w+)">', client.get(its_page).text))
    client.post(reverse("admin:success_apikey_changelist"), asked)
    assert keys.verify(key, at=clock.now()) is None
    assert "It opens nothing any more." in client.get(its_page).text


def test_a_changed_supplier_goes_through_the_operation(client, sarah):
    staff(client, roles.MANAGER)
    page = client.get(reverse("admin:success_supplier_change", args=[sarah.pk]))
    form = {name: value if value is not None else "" for name, value in page.context["adminform"].form.initial.items()}
    form |= {"status": "cancelled", "custom": "{}", "contacts-TOTAL_FORMS": 0, "contacts-INITIAL_FORMS": 0}
    for field in ("created_at", "trial_ends_at", "renews_at", "cancelled_at"):
        form.pop(field, None)
    form |= {"created_at_0": "2026-06-01", "created_at_1": "00:00:00"}
    answer = client.post(reverse("admin:success_supplier_change", args=[sarah.pk]), form)
    assert answer.status_code == 302, answer.context["errors"]
    changed = Supplier.objects.get(pk=sarah.pk)
    assert changed.status == "cancelled"
    assert changed.cancelled_at is not None
    assert not changed.facts.in_service


def test_a_changed_meaning_derives_the_facts_again(client, sarah, django_capture_on_commit_callbacks):
    staff(client, roles.ADMINISTRATOR)
    event = EventName.objects.get(name="Signed In")
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("admin:success_eventname_change", args=[event.pk]), {"meaning": "none", "kept": "client_id", "description": "", "sure": "yes"})
    assert Supplier.objects.get(pk=sarah.pk).facts.last_sign_in_at is None


# ---------------------------------------------------------------- the pages about colleagues, and one's own

EVERYBODY, ADMINISTRATORS = set(roles.ROLES), {roles.ADMINISTRATOR}
COLLEAGUE_ROUTES = {  # name -> the verbs it answers to, what follows the name in its address, and whose it is
    "colleagues": ({"GET", "HEAD"}, [], ADMINISTRATORS),
    "invite": ({"GET", "HEAD", "POST"}, [], ADMINISTRATORS),
    "locked_out": ({"GET", "HEAD", "POST"}, [], ADMINISTRATORS),
    "colleague": ({"GET", "HEAD", "POST"}, ["pk"], ADMINISTRATORS),
    "book": ({"GET", "HEAD", "POST"}, ["pk"], {roles.LEAD, roles.ADMINISTRATOR}),
    "colleague_act": ({"POST"}, ["pk", "reset"], ADMINISTRATORS),
    "me": ({"GET", "HEAD", "POST"}, [], EVERYBODY),
    "enrol": ({"GET", "HEAD", "POST"}, [], EVERYBODY),
    "remove": ({"POST"}, [], EVERYBODY),
    "code": ({"GET", "HEAD", "POST"}, [], EVERYBODY),
    "welcome": ({"GET", "HEAD", "POST"}, ["MQ", "no-token"], EVERYBODY | {"a stranger"}),
}


@pytest.mark.parametrize("who", [*roles.ROLES, "a stranger"])
@pytest.mark.parametrize("name", COLLEAGUE_ROUTES)
def test_who_may_what_about_colleagues(client, db, name, who):
    verbs, arguments, allowed = COLLEAGUE_ROUTES[name]
    if who != "a stranger":
        staff(client, who)
    url = reverse(f"console:{name}", args=[StaffFactory().pk if part == "pk" else part for part in arguments])
    for verb in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
        answer = client.generic(verb, url)
        if who == "a stranger" and who not in allowed:
            assert "/admin/login/" in answer.headers["Location"], verb
        elif verb in verbs:
            assert answer.status_code in ({200, 302} if who in allowed else {403}), verb
        else:
            assert answer.status_code == 405, verb
    assert {verb for verb in verbs if client.generic(verb, url.replace("/reset/", "/nothing/")).status_code == 404} == (
        {"POST"} if name == "colleague_act" and who in allowed else set()
    )
