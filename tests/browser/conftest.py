"""Real Chromium on a web process of our own."""

import os
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiosmtpd.controller import Controller
from django.contrib.auth.models import Group
from playwright.sync_api import Browser, Page, expect, sync_playwright

from config.local.mailbox import letters
from config.local.mailbox.sink import Sink
from health import assessments, history
from success import activity, clock
from success.models import Supplier
from tests.factories import ContactFactory, SourceFactory, StaffFactory, SupplierFactory
from tests.server import free_port, running

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
PASSWORD = "a long enough password"
WIDTHS = {"desk": {"width": 1280, "height": 900}, "phone": {"width": 375, "height": 812}}
HOSTILE = "<img src=x onerror=\"document.title='taken'\">"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.skip("there is no Chromium on this machine; .ci/run installs one")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # playwright runs a loop in this thread; nothing of ours is asynchronous
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)


@pytest.fixture
def mailbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of a mail server that keeps what it is given, in `letters`."""
    monkeypatch.setattr(letters, "FOLDER", tmp_path / "mail")
    server = Controller(Sink(), hostname="127.0.0.1", port=free_port())
    server.start()
    yield server.port
    server.stop()


@pytest.fixture
def web(committed: None, mailbox: int) -> Iterator[str]:
    """The base URL of a web process of our own; it sends its mail to the mailbox, and leads have to have a second factor."""
    with running(EMAIL_URL=f"smtp://127.0.0.1:{mailbox}", REQUIRE_SECOND_FACTOR="lead") as (base, _):
        yield base


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


def sign_in(page: Page, name: str, password: str = PASSWORD) -> None:
    page.goto("/admin/login/")
    page.fill("input[name=username]", name)
    page.fill("input[name=password]", password)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/login/" not in url)


def opened(browser: Browser, base: str, width: str = "desk", **about: Any) -> Page:
    """A window of somebody's own."""
    return browser.new_context(viewport=WIDTHS[width], base_url=base, **about).new_page()


@pytest.fixture
def desk(browser: Browser, people: Supplier, web: str) -> Iterator[Page]:
    """Maya's page, signed in."""
    page = opened(browser, web)
    sign_in(page, "maya")
    expect(page.get_by_role("heading", name="Need you")).to_be_visible()
    yield page
    page.context.close()


@pytest.fixture
def phone(browser: Browser, people: Supplier, web: str) -> Iterator[Page]:
    """Maya's phone, signed in."""
    page = opened(browser, web, "phone", has_touch=True, is_mobile=True)
    sign_in(page, "maya")
    yield page
    page.context.close()
