"""The pictures of the README, by name: taken of the demo and kept where `make pictures` asks for it, else only taken, of what a test has."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from django.test import override_settings
from playwright.sync_api import Browser, Page

from config.local import demo
from config.local.demo import sarah, staff
from config.local.demo.world import OWNERS
from success import clock
from success.models import Supplier
from tests.browser.conftest import opened, sign_in
from tests.server import ROOT

KEPT = bool(os.environ.get("PICTURES"))
LARGEST = 250_000  # bytes
PICTURES: Mapping[str, Callable[[Supplier], str]] = {  # name -> the page, given Sarah
    "today": lambda sarah: "/admin/",
    "supplier": lambda sarah: f"/admin/suppliers/{sarah.pk}/",
}


@pytest.fixture
def shown(request: pytest.FixtureRequest, browser: Browser) -> Iterator[tuple[Page, Supplier]]:
    """A success manager's window, and Sarah: those of the demo, or of a small test."""
    if not KEPT:
        yield request.getfixturevalue("desk"), request.getfixturevalue("people")
        return
    page = opened(browser, request.getfixturevalue("web"))
    with override_settings(DEBUG=True):
        demo.load(at=clock.now())
    sign_in(page, OWNERS[0], staff.password_of(OWNERS[0]))
    yield page, Supplier.objects.get(external_id=sarah.ID)
    page.context.close()


def test_pictures(shown: tuple[Page, Supplier], tmp_path: Path):
    page, sarah = shown
    folder = ROOT / "docs/images" if KEPT else tmp_path
    for name, address in PICTURES.items():
        page.goto(address(sarah))
        page.evaluate("document.fonts.ready")
        page.screenshot(path=folder / f"{name}.png")
        assert 10_000 < (folder / f"{name}.png").stat().st_size < LARGEST, name
