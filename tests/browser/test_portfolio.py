"""The portfolio: who has which comes after the rest, and is told apart anew in its place."""

import re

from playwright.sync_api import Page, expect


def test_who_has_which_is_told_apart_in_its_place(desk: Page):
    desk.goto("/admin/portfolio/?weeks=4")
    expect(desk.locator(".cs-shares")).to_contain_text("Maya Lindqvist")
    top = desk.locator("#levels").evaluate("it => it.dataset.same = 'page'")
    desk.get_by_role("link", name="Plan", exact=True).click()
    expect(desk.get_by_role("heading", name="By plan")).to_be_visible()
    expect(desk.get_by_role("link", name="Plan", exact=True)).to_be_focused()
    expect(desk).to_have_url(re.compile(r"weeks=4.*by=plan#by$"))
    assert desk.locator("#levels").get_attribute("data-same") == top == "page"
    desk.reload()
    expect(desk.get_by_role("heading", name="By plan")).to_be_visible()
    expect(desk.locator(".cs-shares")).to_be_in_viewport()


def test_where_it_does_not_come_a_link_shows_it(desk: Page):
    desk.route(re.compile("fragment"), lambda route: route.abort())
    desk.goto("/admin/portfolio/")
    desk.get_by_role("link", name="Count by owner").click()
    expect(desk.locator(".cs-shares")).to_contain_text("Maya Lindqvist")
    desk.get_by_role("link", name="Trade", exact=True).click()
    desk.get_by_role("link", name="Count by trade").click()
    expect(desk.get_by_role("heading", name="By trade")).to_be_visible()
