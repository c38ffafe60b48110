"""What holds on every page of the console, whichever there are: few queries, each role its own pages, and nobody's suppliers but one's own."""

import re
from collections.abc import Iterator
from functools import partial

import pytest
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser, User
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client as Browser
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from success import clock, roles, saved_views
from success.models import Colleague, Note, Snooze, Supplier, Task, Touchpoint
from tests.places import Place, of_book, places
from tests.worlds import person, populate, run_the_house

MOST_QUERIES = 30
LIMITED = ("own book", "lead of one book")  # who keep to their own book


@pytest.fixture(scope="module")
def house(django_db_setup, django_db_blocker) -> Iterator[dict[str, User | None]]:
    """Sixty suppliers of Maya's, one of Olga's with a word in all she has, and the whole house around them, in a transaction of the module's own."""
    with django_db_blocker.unblock(), transaction.atomic():
        people = {
            "nobody": None,
            "no role": person("no-role"),
            "success manager": person("all", roles.MANAGER),
            "own book": person("maya", roles.MANAGER),
            "lead": person("lead", roles.LEAD),
            "lead of one book": person("lina", roles.LEAD),
            "administrator": person("boss", roles.ADMINISTRATOR),
        }
        populate(owner=people["own book"], suppliers=60)
        populate(owner=person("olga", roles.MANAGER), suppliers=1, prefix=SECRET)
        Supplier.objects.filter(owner__username="olga").update(mrr=7654321, currency="ZZQ")
        run_the_house(boss=people["administrator"])
        saved_views.save(name="Zanzibar calls", query={"q": "zanzibar"}, shared=True, opens_first=False, by=people["lead"], at=clock.now())
        for name in LIMITED:
            Colleague.objects.create(user=people[name], own_book_only=True)
        yield people
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def _undone(house) -> Iterator[None]:
    """What a test does to the house is undone."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def signed_in(user: User | None) -> Browser:
    browser = Browser(raise_request_exception=False)
    if user:
        browser.force_login(user)
    return browser


def book_of(name: str) -> list[Supplier]:
    return list(Supplier.objects.filter(owner__username=name).order_by("pk"))


def test_no_page_asks_the_database_much(house):
    browser, found = signed_in(house["administrator"]), {}
    for place in places(of_book(book_of("maya"))):
        browser.get(place.path)  # what a process remembers, it remembers
        with CaptureQueriesContext(connection) as queries:
            browser.get(place.path)
        found[place.path] = len(queries)
    assert {path: n for path, n in found.items() if n > MOST_QUERIES} == {}


# ---------------------------------------------------------------- who may open what

ROLES = ("nobody", "no role", "success manager", "own book", "lead", "administrator")
OPEN = {"admin:login", "console:welcome"}  # to everybody
ONES_OWN = {
    "console:me",
    "console:enrol",
    "console:remove",
    "console:code",
    "admin:jsi18n",
    "admin:password_change",
    "admin:password_change_done",
    "admin:search",
}
DECIDES_ITSELF = {"admin:autocomplete"}  # by what is asked for
THE_MAKERS = {"console:view_change", "console:view_delete"}  # and the leads': for others there is none
OPENED, REFUSED = {200, 302}, {403}


def needed(place: Place) -> str | None:
    """The permission that a page is for; "" for all of ours, None for everybody."""
    if place.route in OPEN:
        return None
    if place.route in ONES_OWN | DECIDES_ITSELF:
        return ""
    if place.route.startswith("console:"):
        assert getattr(place.view, "permission", ""), (
            f"{place.route} is open to all of ours: give it a permission, or say in ONES_OWN that it is everybody's own"
        )
        return str(place.view.permission)
    for model in admin.site._registry:
        if place.route.startswith(f"admin:{model._meta.app_label}_{model._meta.model_name}_"):
            kind = {"add": "add", "delete": "delete"}.get(place.route.rpartition("_")[2], "view")
            return f"{model._meta.app_label}.{kind}_{model._meta.model_name}"
    raise AssertionError(f"{place.route} is of no model: say in {__name__} who may open it")


def asked(browser: Browser, path: str) -> HttpResponse:
    """What is said to whoever opens a page, or presses the button that leads there; what that does is undone."""
    answer = browser.get(path)
    if answer.status_code != 405:
        return answer
    with transaction.atomic():
        answer = browser.post(path)
        transaction.set_rollback(True)
    return answer


def is_as_it_should_be(place: Place, user: User | None, browser: Browser) -> bool:
    answer, permission = asked(browser, place.path), needed(place)
    sent_away = answer.status_code == 302 and answer["Location"].startswith("/admin/login/")
    if permission is None or user is None:
        return sent_away == (permission is not None) and answer.status_code in OPENED
    if place.route in DECIDES_ITSELF:
        return answer.status_code in OPENED | REFUSED and not sent_away
    if place.route in THE_MAKERS and not user.has_perm("success.change_any_savedview"):
        return answer.status_code in REFUSED | {404}
    may = not permission or user.has_perm(permission)
    forbidden_to_all = permission.split(".")[-1].startswith(("add_", "delete_")) and place.route.startswith("admin:")
    return not sent_away and answer.status_code in (OPENED if may else REFUSED) | (REFUSED if forbidden_to_all else set())


@pytest.mark.parametrize("role", ROLES)
def test_every_page_opens_for_its_roles_alone(house, role):
    user, browser = house[role], signed_in(house[role])
    found = places(of_book(book_of("maya")))
    wrong = [(place.path, asked(browser, place.path).status_code) for place in found if not is_as_it_should_be(place, user, browser)]
    assert not wrong


def test_the_size_of_the_table(house, capsys):
    found, actions = places(of_book(book_of("maya"))), list(all_actions())
    with capsys.disabled():
        print(f"\n{len(found)} addresses and {len(actions)} actions of the console x {len(ROLES)} roles = {(len(found) + len(actions)) * len(ROLES)}")
    assert len(found) > 150 and len(actions) > 5


# ---------------------------------------------------------------- actions


def all_actions() -> Iterator[tuple[admin.ModelAdmin, str, tuple[str, ...]]]:
    """Those of every list, each with the permissions that it names."""
    request = RequestFactory().get("/admin/")
    request.user = User(is_superuser=True, is_active=True, is_staff=True)
    for model_admin in admin.site._registry.values():
        for name, (run, _, _) in model_admin.get_actions(request).items():
            yield model_admin, name, tuple(getattr(run, "allowed_permissions", ()))


def address_of(model_admin: admin.ModelAdmin) -> str:
    return f"/admin/{model_admin.opts.app_label}/{model_admin.opts.model_name}/"


def run_action(browser: Browser, model_admin: admin.ModelAdmin, name: str, rows: list[object], **more: str) -> tuple[int, str]:
    """The action is asked for, for these rows and for all; status and what is said, from the page that follows too."""
    answer = browser.post(address_of(model_admin), {"action": name, "_selected_action": rows, "index": 0, **more})
    said = b"".join(answer.streaming_content).decode() if answer.streaming else answer.text
    return answer.status_code, said + (browser.get(answer["Location"]).text if answer.status_code == 302 else "")


@pytest.mark.parametrize("role", ROLES)
def test_every_action_is_its_roles_alone(house, role):
    user, browser, wrong = house[role], signed_in(house[role]), []
    for model_admin, name, permissions in all_actions():
        offered = run_is_offered(model_admin, name, user)
        may = user is not None and user.has_perm(f"{model_admin.opts.app_label}.view_{model_admin.opts.model_name}")
        allowed = may and all(user.has_perm(f"{model_admin.opts.app_label}.{kind}_{model_admin.opts.model_name}") for kind in permissions)
        with transaction.atomic():
            status, said = run_action(browser, model_admin, name, [row.pk for row in model_admin.model.objects.all()[:1]])
            transaction.set_rollback(True)
        refused = status == 403 or (status == 302 and "/admin/login/" in said) or not offered
        if refused == allowed or status >= 500:
            wrong.append((role, model_admin.opts.model_name, name, status, offered, allowed))
    assert not wrong


def run_is_offered(model_admin: admin.ModelAdmin, name: str, user: User | None) -> bool:
    request = RequestFactory().get("/admin/")
    request.user = user or AnonymousUser()
    return name in model_admin.get_actions(request)


# ---------------------------------------------------------------- nobody's but one's own

SECRET = "Zanzibar "
TELLS = re.compile(r"zanzibar|\bZZQ\b|7[.,\s]?654[.,\s]?321", re.IGNORECASE)
LINK = re.compile(r'href="(\?[^"]*)"')


def opened(browser: Browser, places_to_go: list[Place]) -> Iterator[tuple[str, str]]:
    """Each page, and each that is a click away from it by another filter, order or page of the list."""
    for place in places_to_go:
        text = text_of(browser, place.path)
        yield place.path, text
        for more in sorted(set(LINK.findall(text)))[:40]:
            path = place.path.partition("?")[0] + more.replace("&amp;", "&")
            yield path, text_of(browser, path)


def text_of(browser: Browser, path: str) -> str:
    answer = browser.get(path)
    return b"".join(answer.streaming_content).decode() if answer.streaming else answer.text


def everywhere() -> list[Place]:
    """Her pages and the others', asked for what is the others'."""
    hers, others = (places(of_book(book_of(name)), word="zanzibar") for name in ("maya", "olga"))
    return list(dict.fromkeys([*hers, *others]))


def what_is_told(text: str) -> str:
    """Where a page gives the others away; that it says back what one looked for does not count."""
    text = re.sub(r'(value|href|action)="[^"]*zanzibar[^"]*"|found by “zanzibar”', "", text, flags=re.IGNORECASE)
    found = TELLS.search(text)
    return text[max(0, found.start() - 80) : found.end() + 40] if found else ""


@pytest.mark.parametrize("who", LIMITED)
def test_who_keeps_to_her_own_book_meets_no_other_anywhere(house, who):
    browser = signed_in(house[who])
    told = {path: told for path, text in opened(browser, everywhere()) if (told := what_is_told(text))}
    assert told == {}


def test_the_others_would_be_met_if_they_were_not_kept_apart(house):
    """So the test before this one can fail, on pages of every kind."""
    browser = signed_in(house["success manager"])
    told = {place.route for place in everywhere() if what_is_told(text_of(browser, place.path))}
    assert told >= {
        "console:today", "console:supplier", "console:act", "admin:search", "admin:autocomplete",
        "admin:success_supplier_changelist", "admin:success_supplier_change", "admin:success_supplier_history",
        "admin:health_assessment_changelist", "admin:health_assessment_change", "admin:success_event_changelist",
    }  # fmt: skip


@pytest.mark.parametrize("who", LIMITED)
def test_no_action_reaches_beyond_her_book(house, who):
    browser, [other] = signed_in(house[who]), book_of("olga")
    before, told = state_of(other), []
    for model_admin, name, _ in all_actions():
        rows = list(of_book([other])(model_admin.model).values_list("pk", flat=True)[:3])
        for more in ({}, {"select_across": "1"}, {"owner": str(house[who].pk)}, {"owner": str(house[who].pk), "select_across": "1"}):
            _, said = run_action(browser, model_admin, name, rows, **more)
            if TELLS.search(said):
                told.append((model_admin.opts.model_name, name, more))
    everything = [*places(of_book([other]), word="zanzibar"), Place("console:book", f"/admin/colleagues/{other.owner_id}/book/", None)]
    for place in everything:
        if place.route.startswith("console:"):
            answer = browser.post(
                place.path, {"text": "x", "title": "x", "because": "x", "reason": "x", "level": "healthy", "channel": "call", "to": house[who].pk}, follow=True
            )
            if TELLS.search(answer.text):
                told.append((place.path, answer.status_code))
    assert (told, state_of(other)) == ([], before)


def state_of(supplier: Supplier) -> list[object]:
    counted = partial(map, lambda model: list(model.objects.filter(supplier=supplier).order_by("pk").values()))
    return [*Supplier.objects.filter(pk=supplier.pk).values(), *counted([Note, Task, Snooze, Touchpoint])]


@pytest.mark.parametrize("who", ["success manager", "administrator"])
def test_what_no_row_can_hold_is_a_bad_request_on_every_page(house, who):
    browser = signed_in(house[who])
    for place in places(of_book(book_of("maya"))):
        path = place.path + ("&" if "?" in place.path else "?")
        assert browser.get(f"{path}level=%00&q=a%00b&next=%00").status_code == 400, place.path
        assert browser.post(place.path, "owner=a%00b", "application/x-www-form-urlencoded").status_code == 400 if place.route.startswith("console:") else True
