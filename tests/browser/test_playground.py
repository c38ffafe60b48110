"""The playground as people see it: it fits, it reads, it takes no orders from names, and what is done there arrives."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, expect

from config.local.demo import sarah as the_demos
from success import activity, clock
from success.models import Activity, Client, Supplier
from tests.browser.conftest import WIDTHS, opened
from tests.browser.test_pages import NAMES, STATES, serious
from tests.factories import ContactFactory, SourceFactory, StaffFactory, SupplierFactory
from tests.hostile import ORDERS

PLACES = ("", "clients/", "clients/import/", "forms/", "forms/new/", "forms/1/", "journeys/", "settings/")
DONE = {"clients/import/": "Import 20 clients", "forms/new/": "Make the form", "forms/1/": "Send the answers", "journeys/": "Set up a journey"}
FORMS, JOURNEYS = {"Form Created", "Template Used", "Form Started", "Form Completed"}, {"Journey Created", "Journey Step Started", "Journey Step Completed"}
ONCE = {"Signed In", "Clients Imported"} | FORMS | JOURNEYS


@pytest.fixture
def sarah(committed: None) -> Supplier:
    """As the demo has her."""
    source = SourceFactory(is_demo=True)
    activity.take([message.json() for message in the_demos.messages(at=clock.now())], kind=None, source=source, received_at=clock.now())
    return Supplier.objects.get(external_id=the_demos.ID)


def entered(browser: Browser, base: str, **about: Any) -> Page:
    page = opened(browser, base, **about)
    page.goto("/playground/")
    page.get_by_role("button", name="Sign in as").click()
    page.locator(".next").wait_for()
    return page


def see(page: Page, place: str) -> None:
    page.evaluate("path => { history.pushState(null, '', path + location.search); dispatchEvent(new PopStateEvent('popstate')) }", f"/playground/{place}")
    expect(page.locator("#place h1")).to_be_visible()
    expect(page.get_by_text("One moment…")).to_have_count(0)


@pytest.mark.parametrize(("scheme", "width"), STATES)
def test_every_place_fits_and_reads(browser: Browser, sarah: Supplier, web: str, scheme: str, width: str):
    page, wrong = entered(browser, web, width=width, color_scheme=scheme, reduced_motion="reduce", bypass_csp=True), []  # axe is put in from outside
    page.evaluate(AXE_SCRIPT)
    for place in PLACES:
        see(page, place)
        wrong += [(place, *one) for one in serious(page, everything=True)]
        if (wide := page.evaluate("document.documentElement.scrollWidth")) > WIDTHS[width]["width"]:
            wrong.append((place, f"is {wide} wide"))
    if width == "phone":
        page.get_by_role("button", name="What the system sees").click()
        wrong += [("the drawer", *one) for one in serious(page, everything=True)]
    page.context.close()
    assert wrong == []


def test_it_is_used_without_a_mouse(browser: Browser, sarah: Supplier, web: str):
    page = entered(browser, web)
    for name, key, then in (("Clients", "Enter", "5 couples"), ("Import", "Enter", "Bring in your clients"), ("Import 20 clients", "Space", "25 couples")):
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.textContent.trim()") == name:
                break
        page.keyboard.press(key)
        expect(page.get_by_text(then, exact=True).first).to_be_visible(timeout=15_000)
    page.get_by_role("button", name="Start again").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.context.close()


def test_what_is_done_there_arrives_as_a_products_events(browser: Browser, sarah: Supplier, web: str):
    page = entered(browser, web)
    for path, button in (
        ("clients/import/", "Import 20 clients"),
        ("forms/new/", "Make the form"),
        ("forms/1/", "Send the answers"),
        ("journeys/", "Set up a journey"),
    ):
        see(page, path)
        page.get_by_role("button", name=button).click()
        expect(page.locator("#note")).not_to_be_empty()
    page.get_by_role("button", name="Take the next step").click()
    expect(page.locator("#note")).to_contain_text("took a step")
    told = list(Activity.objects.filter(supplier=sarah, source__name="WedSync (playground)").values_list("event__name", flat=True))
    assert {name for name in told if told.count(name) == 1} - {"Page Viewed"} == ONCE and told.count("Client Active") == 22
    assert not [one for one in Client.objects.filter(supplier=sarah).values_list("external_id", flat=True) if "Amelie" in one]  # names stay in the browser
    page.context.close()


def test_her_wishes_are_kept(browser: Browser, sarah: Supplier, web: str):
    page = entered(browser, web)
    see(page, "settings/")
    page.get_by_role("switch", name="By mail").uncheck()
    expect(page.get_by_text("By mail: off.")).to_be_visible()
    sarah.refresh_from_db()
    assert sarah.preferences.channels["email"] is False and sarah.preferences.unsubscribed_at
    page.reload()
    expect(page.get_by_role("switch", name="By mail")).not_to_be_checked()
    page.context.close()


def test_being_someone_else(browser: Browser, sarah: Supplier, web: str):
    ContactFactory(supplier=SupplierFactory(external_id="tom & co", source=sarah.source), name="Tom Reed")
    page = entered(browser, web)
    page.get_by_text("Be someone else").click()
    page.get_by_label("Supplier").fill("tom")
    page.get_by_role("link", name="Tom Reed").click()
    expect(page.get_by_role("button", name="Sign in as Tom Reed")).to_be_visible()
    page.get_by_role("button", name="Sign in as Tom Reed").click()
    see(page, "clients/")
    expect(page.get_by_text("Your couples, all in one place")).to_be_visible()  # an empty state that invites
    page.context.close()


# ---------------------------------------------------------------- takes no orders


@pytest.fixture
def hostile(committed: None) -> Iterator[Supplier]:
    source, text = SourceFactory(is_demo=True), iter(ORDERS * 3)
    owner = StaffFactory(first_name=next(text)[:150])
    supplier = SupplierFactory(external_id="sarah", source=source, owner=owner, custom={"company": next(text)}, plan=next(text)[:60], vertical=next(text)[:60])
    ContactFactory(supplier=supplier, name=next(text), email="sarah@example.org")
    for order in ORDERS:
        ContactFactory(supplier=SupplierFactory(source=source, status="trial", custom={"company": order}), name=order)
        Client.objects.create(supplier=supplier, external_id=order, first_known_at=clock.now(), changed_at=clock.now(), last_activity_at=clock.now())
    sent = [b'{"type":"track","userId":"sarah","event":%s}' % activity.msgspec.json.encode(order) for order in ORDERS]
    activity.take(sent, kind=None, source=source, received_at=clock.now())
    yield supplier


def test_no_place_obeys_a_name(browser: Browser, hostile: Supplier, web: str):
    page, wrong = opened(browser, web), []
    page.on("dialog", lambda dialog: (wrong.append(("a dialog", dialog.message)), dialog.dismiss()))
    page.on("console", lambda line: wrong.append(("refused by the policy", line.text)) if "Content Security" in line.text and "8001" not in line.text else None)
    page.on("pageerror", lambda error: wrong.append(("an error of a script", str(error))))
    page.goto("/playground/?as=%3Cx-taken%3E")
    expect(page.get_by_role("heading", name="Nobody is here")).to_be_visible()
    page.on("request", lambda asked: wrong.append(("asked for", asked.url)) if "taken" in asked.url.partition("?")[0] else None)
    page.goto("/playground/")
    page.get_by_role("button", name="Sign in as").click()
    for place in PLACES:
        see(page, place)
        if place == "clients/import/":
            page.get_by_label("Your list").fill("\n".join(ORDERS))
            page.get_by_role("button", name="Import").click()
            expect(page.get_by_text("came over")).to_be_visible()
        if place == "forms/new/":
            page.get_by_label("Name").fill(ORDERS[0])
            page.get_by_label("Questions").fill("\n".join(ORDERS[:12]))
            page.get_by_role("button", name="Make the form").click()
            expect(page.get_by_text("Your form is ready")).to_be_visible()
        page.get_by_text("Be someone else").click()
        wrong += [(place, one) for one in page.evaluate(f"({NAMES}).grown(document)")]
        assert page.title() != "taken" and not page.evaluate("window.taken")
    said = "".join(page.evaluate(f"({NAMES}).seen(document)").split())
    assert wrong == [] and "".join(ORDERS[1].split()) in said
    page.context.close()
