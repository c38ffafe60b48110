"""The console as people use it, in real Chromium."""

import os
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import Group
from playwright.sync_api import Browser, Page, expect, sync_playwright

from health import assessments, history
from success import activity, clock, work
from success.models import Supplier
from tests.factories import ContactFactory, SourceFactory, StaffFactory, SupplierFactory
from tests.server import ROOT

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="there is no Chromium on this machine; .ci/run installs one")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
PASSWORD = "a long enough password"
WIDTHS = {"desk": {"width": 1280, "height": 900}, "phone": {"width": 375, "height": 812}}
HOSTILE = "<img src=x onerror=\"document.title='taken'\">"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # playwright runs a loop in this thread; nothing of ours is asynchronous
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)


@pytest.fixture
def maya(committed):
    maya = StaffFactory(username="maya", first_name="Maya", last_name="Lindqvist", password=PASSWORD, is_superuser=True)
    maya.groups.add(Group.objects.get(name="success manager"))
    return maya


@pytest.fixture
def people(maya) -> Supplier:
    """Sarah, two weeks in and quiet, and a dozen others; the last with a hostile name."""
    now, source = clock.now(), SourceFactory()
    sent = []
    for n, name in enumerate(["Sarah Lund", "Anna Berg", "Ines Costa", "Tom Reed", "Lena Vogt", "Marc Petit", "Ada Novak", "Olga Lind", "Rita Rossi", HOSTILE]):
        created = now - timedelta(days=14 if n == 0 else 40 + 9 * n)
        supplier = SupplierFactory(
            external_id=f"account-{n}", owner=maya, created_at=created, mrr=19 + 10 * n, currency="EUR", renews_at=now + timedelta(days=9 * n)
        )
        ContactFactory(supplier=supplier, name=name)
        for days in range(9 + n % 4 * 4, 38, 3):
            for event in ("Signed In", "Form Created", "Clients Imported", "Page Viewed")[: 2 + n % 3]:
                at = max(now - timedelta(days=days), created)
                sent.append({"type": "track", "userId": supplier.external_id, "event": event, "timestamp": at.isoformat()})
    activity.take([msgspec.json.encode(one) for one in sent], kind=None, source=source, received_at=now)
    assessments.assess(at=now)
    history.backfill(first=(now - timedelta(days=60)).date(), last=(now - timedelta(days=1)).date())
    return Supplier.objects.get(external_id="account-0")


@pytest.fixture
def desk(browser: Browser, people: Supplier, web: str) -> Iterator[Page]:
    """Maya's page, signed in."""
    context = browser.new_context(viewport=WIDTHS["desk"], base_url=web)
    page = context.new_page()
    page.goto("/admin/")
    page.fill("input[name=username]", "maya")
    page.fill("input[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Need you")).to_be_visible()
    yield page
    context.close()


def test_a_managers_morning(desk: Page, people: Supplier):
    """Without the mouse leaving the list: a note, a call, a task, a snooze; and it is all there when she comes back."""
    line = desk.get_by_role("listitem").filter(has=desk.get_by_role("link", name="Sarah Lund", exact=True))
    for action, fill in {
        "Note": {"Note": "She waits for her price list."},
        "Contacted": {"What was said": "Shows me her forms on Friday."},
        "Task": {"To do": "Send the form guide"},
        "Snooze": {"Because": "we talk on Friday"},
    }.items():
        line.get_by_role("link", name=f"{action}: Sarah Lund").click()
        dialog = desk.get_by_role("dialog")
        for label, words in fill.items():
            dialog.get_by_label(label).fill(words)
        dialog.get_by_role("button", name=action if action != "Contacted" else "I contacted her").click()
        expect(desk.get_by_role("heading", name="Need you")).to_be_visible()
    expect(line).to_have_count(0)
    expect(desk.get_by_text("Left out: 1 snoozed")).to_be_visible()
    desk.get_by_role("link", name="account-0").click()
    for words in ("She waits for her price list.", "Shows me her forms on Friday.", "Send the form guide", "we talk on Friday"):
        expect(desk.get_by_text(words).first).to_be_visible()
    desk.get_by_role("button", name="Done: Send the form guide").click()
    expect(desk.get_by_text("Task done")).to_be_visible()


def test_a_dialog_is_left_by_the_keyboard_and_comes_back_with_what_was_wrong(desk: Page, people: Supplier):
    desk.goto(f"/admin/suppliers/{people.pk}/")
    desk.get_by_role("link", name="Snooze").focus()
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("dialog")).to_be_visible()
    desk.keyboard.press("Escape")
    expect(desk.get_by_role("dialog")).to_have_count(0)
    desk.keyboard.press("Enter")
    desk.get_by_label("Until").fill("2020-01-01")
    desk.get_by_label("Because").fill("on holiday")
    desk.keyboard.press("Enter")
    expect(desk.get_by_text("Choose tomorrow or a later day.")).to_be_visible()
    expect(desk.get_by_label("Because")).to_have_value("on holiday")


def test_set_the_level_and_take_it_back(desk: Page, people: Supplier):
    desk.goto(f"/admin/suppliers/{people.pk}/")
    desk.get_by_role("link", name="Set the level").click()
    desk.get_by_label("Level", exact=True).select_option("healthy")
    desk.get_by_label("Because").fill("she told me on the phone")
    desk.get_by_role("dialog").get_by_role("button", name="Set the level").click()
    expect(desk.get_by_text("Set by Maya Lindqvist")).to_be_visible()
    desk.get_by_role("button", name="Take it back").click()
    expect(desk.get_by_text("The set level was taken back")).to_be_visible()


def test_customers_come_in_from_a_file(desk: Page, tmp_path: Path):
    file = tmp_path / "customers.csv"
    file.write_text("Account ID,Name,Plan\n" + "".join(f"new-{n},Nora {'Berg' * 20},pro\n" for n in range(1500)) + "x\n")
    desk.get_by_role("link", name="Upload").click()
    desk.get_by_label("A CSV file").set_input_files(file)
    desk.get_by_role("button", name="Upload and look").click()
    expect(desk.get_by_text("can be taken")).to_be_visible()
    desk.get_by_role("button", name="Import").click()
    expect(desk.get_by_text("1500 new, 0 changed, 0 as they were, 1 not taken")).to_be_visible(timeout=30_000)
    with desk.expect_download() as download:
        desk.get_by_role("link", name="What was not taken, and why").click()
    assert "Has 1 columns; the first line names 3." in Path(download.value.path()).read_text()


OWN_PAGES = ("scoring", "start", "uploads", "colleagues", "colleagues/invite", "colleagues/locked-out", "me", "me/second-factor")


def pages(people: Supplier) -> list[str]:
    of_one = [f"/admin/suppliers/{people.pk}/", *(f"/admin/suppliers/{people.pk}/{action}/" for action in ("note", "contacted", "task", "snooze", "override"))]
    lists = ["success/supplier", "health/assessment", "success/event", "success/eventname", "success/jobrun", "success/apikey", "auth/user"]
    return [
        "/admin/",
        *of_one,
        "/admin/scoring/",
        "/admin/start/",
        "/admin/uploads/",
        *(f"/admin/{name}/" for name in lists),
        f"/admin/success/supplier/{people.pk}/change/",
    ]


OURS = [".cs-main", ".cs-side", ".cs-head", ".cs-tabs", ".cs-counts", ".cs-card"]  # the frame around them is the admin's own


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_reads_and_takes_no_orders_from_names(desk: Page, people: Supplier, browser: Browser, scheme: str):
    """At both widths no page scrolls sideways or runs what a name says; axe finds nothing serious in what is ours."""
    work.note(supplier=people.pk, text=HOSTILE, by=people.owner, at=clock.now())
    for width in WIDTHS.values():
        state = desk.context.storage_state()
        context = browser.new_context(viewport=width, base_url=desk.url.partition("/admin/")[0], storage_state=state, color_scheme=scheme)
        page = context.new_page()
        page.add_init_script(f"localStorage.setItem('_x_adminTheme', '\"{scheme}\"')")
        for path in pages(people):
            page.goto(path)
            assert page.title() != "taken", path
            assert page.evaluate("document.documentElement.scrollWidth") <= width["width"], path
            inside = [css for css in OURS if page.locator(css).count()]
            if inside:
                found = Axe().run(page, context={"include": inside}).response["violations"]
                assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in ("serious", "critical")] == [], path
        context.close()


def test_pictures(desk: Page, people: Supplier, tmp_path: Path):
    """The pictures of the README: kept where PICTURES says so, else only taken."""
    folder = ROOT / "docs/images" if os.environ.get("PICTURES") else tmp_path
    for name, path in {"today": "/admin/", "supplier": f"/admin/suppliers/{people.pk}/"}.items():
        desk.goto(path)
        desk.screenshot(path=folder / f"{name}.png")
        assert (folder / f"{name}.png").stat().st_size > 10_000
