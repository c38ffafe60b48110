"""What comes after its page: who has which in the portfolio, told apart anew in its place, and how long milestones take."""

import re

from playwright.sync_api import Page, Route, expect

PLAN = re.compile("by=plan.*fragment")


def told_apart_by(desk: Page, name: str) -> None:
    desk.get_by_role("link", name=name, exact=True).click()


def test_who_has_which_is_told_apart_in_its_place(desk: Page):
    desk.goto("/admin/portfolio/?weeks=4")
    expect(desk.locator(".cs-shares")).to_contain_text("Maya Lindqvist")
    desk.locator("#levels").evaluate("it => it.dataset.same = 'page'")
    told_apart_by(desk, "Plan")
    expect(desk.get_by_role("heading", name="By plan")).to_be_visible()
    expect(desk.get_by_role("link", name="Plan", exact=True)).to_be_focused()
    expect(desk).to_have_url(re.compile(r"weeks=4.*by=plan#by$"))
    assert desk.locator("#levels").get_attribute("data-same") == "page"
    desk.reload()
    expect(desk.get_by_role("heading", name="By plan")).to_be_visible()
    expect(desk.locator(".cs-shares")).to_be_in_viewport()


def test_what_was_chosen_in_its_place_stays_where_the_page_leads_on(desk: Page):
    desk.goto("/admin/portfolio/")
    told_apart_by(desk, "Trade")
    expect(desk.get_by_role("heading", name="By trade")).to_be_visible()
    desk.get_by_role("link", name="26 weeks").click()
    expect(desk).to_have_url(re.compile("weeks=26"))
    expect(desk.get_by_role("heading", name="By trade")).to_be_visible()
    assert desk.locator("input[name=by]").input_value() == "vertical"


def test_of_two_pressed_quickly_the_last_is_shown(desk: Page):
    held: list[Route] = []
    desk.goto("/admin/portfolio/")
    expect(desk.locator(".cs-shares")).to_be_visible()
    desk.route(PLAN, lambda route: held.append(route))
    told_apart_by(desk, "Plan")
    told_apart_by(desk, "Trade")
    expect(desk.get_by_role("heading", name="By trade")).to_be_visible()
    for route in held:
        route.continue_()
    told_apart_by(desk, "Owner")
    expect(desk.get_by_role("heading", name="By owner")).to_be_visible()
    assert len(held) == 1 and "by=plan" not in desk.url


def test_where_it_does_not_come_a_link_shows_it(desk: Page):
    desk.route(re.compile("fragment"), lambda route: route.abort())
    desk.goto("/admin/portfolio/?by=vertical")
    desk.get_by_role("link", name="Try again").click()
    expect(desk.get_by_role("heading", name="By trade")).to_be_visible()
    expect(desk.locator(".cs-shares")).to_be_in_viewport()
    desk.goto("/admin/milestones/")
    desk.get_by_role("link", name="Try again").click()
    expect(desk.get_by_role("columnheader", name="half by")).to_be_in_viewport()


def test_how_long_milestones_take_comes_after_the_board(desk: Page):
    desk.goto("/admin/milestones/")
    expect(desk.get_by_role("columnheader", name="half by")).to_be_visible()
    expect(desk.get_by_text("Counting the days")).to_have_count(0)
