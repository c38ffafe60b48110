"""A level set by hand, taken back, or over by itself."""

from datetime import timedelta

import time_machine
from playwright.sync_api import Browser, Page, expect

from success import clock, jobs
from success.models import Supplier
from tests.browser.conftest import opened, sign_in
from tests.server import running


def set_level(page: Page, supplier: Supplier, days: int) -> None:
    page.goto(f"/admin/suppliers/{supplier.pk}/")
    page.get_by_role("link", name="Set the level").click()
    page.get_by_label("Level", exact=True).select_option("healthy")
    page.get_by_label("Because").fill("she told me on the phone")
    page.get_by_label("Until").fill(str(clock.now().date() + timedelta(days=days)))
    page.get_by_role("dialog").get_by_role("button", name="Set the level").click()
    expect(page.get_by_text("Set by Maya Lindqvist")).to_be_visible()
    expect(page.locator(".cs-score .cs-level")).to_have_text("healthy")


def test_set_the_level_and_take_it_back(desk: Page, people: Supplier):
    set_level(desk, people, days=14)
    desk.get_by_role("button", name="Take it back").click()
    expect(desk.get_by_text("The set level was taken back")).to_be_visible()
    expect(desk.locator(".cs-score .cs-level")).to_have_text("critical")


def test_a_set_level_ends_by_itself(desk: Page, people: Supplier, browser: Browser):
    """Three days on, after the scheduled job, the computed level holds again, and the timeline says why."""
    set_level(desk, people, days=2)
    with running(CLOCK_DAYS_AHEAD="3") as (later, _), time_machine.travel(clock.now() + timedelta(days=3)):
        [run] = jobs.run_due("health.expire_overrides", at=clock.now())
        assert run.counts == {"ended": 1}
        page = opened(browser, later)
        sign_in(page, "maya")
        page.goto(f"/admin/suppliers/{people.pk}/")
        expect(page.locator(".cs-score .cs-level")).to_have_text("critical")
        expect(page.get_by_text("Set by Maya Lindqvist")).to_have_count(0)
        expect(page.get_by_text("The set level ended by itself")).to_be_visible()
        expect(page.get_by_text("she told me on the phone (computed: critical)")).to_be_visible()
        page.context.close()
