"""The pictures of the README, by name: taken of the demo and kept where `make pictures` asks for it, else only taken, of what a test has."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from django.test import override_settings
from playwright.sync_api import Browser, Page

from config.local import demo
from config.local.demo import sarah, staff
from success import clock
from success.models import Supplier
from success.roles import LEAD, MANAGER
from tests.browser.conftest import opened, sign_in
from tests.server import ROOT, running

KEPT = bool(os.environ.get("PICTURES"))
LARGEST = 250_000  # bytes
LIST = "/admin/success/supplier/?level=at_risk&o=2"
PICTURES: Mapping[str, tuple[str, Callable[[Supplier], str]]] = {  # name -> whose page, and which, given Sarah
    "today": (MANAGER, lambda sarah: "/admin/"),
    "supplier": (MANAGER, lambda sarah: f"/admin/suppliers/{sarah.pk}/"),
    "suppliers": (MANAGER, lambda sarah: LIST),
    "portfolio": (LEAD, lambda sarah: "/admin/portfolio/?by=plan&whole"),
    "playground": (MANAGER, lambda sarah: "/playground/"),
}
Windows = Mapping[str, Page]


@pytest.fixture
def shown(request: pytest.FixtureRequest, browser: Browser) -> Iterator[tuple[Windows, Supplier]]:
    """A window for each role, and Sarah: those of the demo, or of a small test."""
    if not KEPT:
        yield dict.fromkeys((MANAGER, LEAD), request.getfixturevalue("desk")), request.getfixturevalue("people")
        return
    request.getfixturevalue("committed")
    with override_settings(DEBUG=True), running(REQUIRE_SECOND_FACTOR="") as (base, _):
        demo.load(at=clock.now())
        names = {role: next(name for name, (_, _, of) in staff.PEOPLE.items() if of == role) for role in (MANAGER, LEAD)}
        windows = {role: opened(browser, base) for role in names}
        for role, name in names.items():
            sign_in(windows[role], name, staff.password_of(name))
        yield windows, Supplier.objects.get(external_id=sarah.ID)
        for page in windows.values():
            page.context.close()


def enter(page: Page) -> None:
    """Sarah is signed in, where the demo has her."""
    page.locator("#place h1").wait_for()
    if (button := page.get_by_role("button", name="Sign in as")).count():
        button.click()
        page.locator(".next").wait_for()
        page.wait_for_timeout(1_500)  # until the bars stand still


def test_pictures(shown: tuple[Windows, Supplier], tmp_path: Path):
    windows, sarah = shown
    folder = ROOT / "docs/images" if KEPT else tmp_path
    for name, (whose, address) in PICTURES.items():
        page = windows[whose]
        page.goto(address(sarah))
        if name == "playground":
            enter(page)
        page.evaluate("document.fonts.ready")
        page.screenshot(path=folder / f"{name}.png")
        assert 10_000 < (folder / f"{name}.png").stat().st_size < LARGEST, name
