"""A level set by hand."""

from playwright.sync_api import Page, expect

from success.models import Supplier


def test_set_the_level_and_take_it_back(desk: Page, people: Supplier):
    desk.goto(f"/admin/suppliers/{people.pk}/")
    desk.get_by_role("link", name="Set the level").click()
    desk.get_by_label("Level", exact=True).select_option("healthy")
    desk.get_by_label("Because").fill("she told me on the phone")
    desk.get_by_role("dialog").get_by_role("button", name="Set the level").click()
    expect(desk.get_by_text("Set by Maya Lindqvist")).to_be_visible()
    desk.get_by_role("button", name="Take it back").click()
    expect(desk.get_by_text("The set level was taken back")).to_be_visible()
