"""From an empty installation to one's own events, customers and colleagues."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from success import roles
from tests.browser.conftest import PASSWORD, opened, sign_in
from tests.worlds import person


@pytest.fixture
def boss(browser: Browser, web: str) -> Iterator[Page]:
    """An administrator, signed in where there is nothing yet."""
    person("boss", roles.ADMINISTRATOR, first_name="Bo", last_name="Berg", password=PASSWORD)
    page = opened(browser, web)
    sign_in(page, "boss")
    yield page
    page.context.close()


def entry(page: Page) -> object:
    return expect(page.get_by_role("link", name="Start", exact=True))


@pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl on this machine to run what the page shows")
def test_from_nothing_to_all_of_ones_own(boss: Page, tmp_path: Path):
    boss.wait_for_url("**/admin/start/")
    entry(boss).to_be_visible()
    boss.get_by_role("button", name="Make a key").click()
    expect(boss.get_by_text("it is not shown again")).to_be_visible()
    expect(boss.get_by_text("Waiting for your first event")).to_be_visible()
    boss.evaluate("window.stayed = true")
    sent = subprocess.run(["sh", "-c", boss.locator("pre").first.inner_text()], capture_output=True, text=True, timeout=30, check=True)
    assert '"success":true' in sent.stdout.replace(" ", ""), sent
    expect(boss.get_by_text("Signed In of my-first-customer")).to_be_visible(timeout=10_000)
    assert boss.evaluate("window.stayed"), "without loading the page again"

    boss.get_by_role("link", name="from a file").click()
    upload(boss, tmp_path, "Account ID,Name,Plan\nanna,Anna Berg,pro\nines,Ines Costa,studio\n")
    expect(boss.get_by_text("2 new, 0 changed, 0 as they were, 0 not taken")).to_be_visible(timeout=30_000)
    boss.get_by_role("link", name="Suppliers", exact=True).click()
    for name in ("my-first-customer", "Anna Berg", "Ines Costa"):
        expect(boss.get_by_role("link", name=name)).to_be_visible()

    boss.get_by_role("link", name="Start", exact=True).click()
    boss.get_by_role("link", name="Invite a colleague").click()
    boss.get_by_label("Mail address").fill("maya@example.org")
    boss.get_by_label("First name").fill("Maya")
    boss.get_by_role("button", name="Invite").click()
    expect(boss.get_by_text("Maya is invited.")).to_be_visible()
    entry(boss).to_have_count(0)


def upload(page: Page, folder: Path, text: str) -> None:
    file = folder / "customers.csv"
    file.write_text(text)
    page.get_by_label("A CSV file").set_input_files(file)
    page.get_by_role("button", name="Upload and look").click()
    expect(page.get_by_text("can be taken")).to_be_visible()
    page.get_by_role("button", name="Import").click()


def test_customers_come_in_from_a_file_step_by_step(desk: Page, tmp_path: Path):
    desk.get_by_role("link", name="Upload").click()
    upload(desk, tmp_path, "Account ID,Name,Plan\n" + "".join(f"new-{n},Nora {'Berg' * 20},pro\n" for n in range(1500)) + "x\n")
    expect(desk.get_by_text("1500 new, 0 changed, 0 as they were, 1 not taken")).to_be_visible(timeout=30_000)
    with desk.expect_download() as download:
        desk.get_by_role("link", name="What was not taken, and why").click()
    assert "Has 1 columns; the first line names 3." in Path(download.value.path()).read_text()
