"""Invited by mail, a second factor set up, and signing in with it."""

import re
from base64 import b32decode

from django_otp.oath import totp
from playwright.sync_api import Browser, Page, expect

from config.local.mailbox import letters
from success import roles
from tests.browser.conftest import PASSWORD, opened, sign_in
from tests.worlds import person

ADDRESS = "olga@example.org"


def invite(page: Page) -> str:
    """The administrator invites a lead; the link in the mail."""
    page.goto("/admin/colleagues/")
    page.get_by_role("link", name="Invite a colleague").click()
    page.get_by_label("Mail address").fill(ADDRESS)
    page.get_by_label("First name").fill("Olga")
    page.get_by_label("Role").select_option("lead")
    page.get_by_role("button", name="Invite").click()
    expect(page.get_by_text("Olga is invited.")).to_be_visible()
    [letter] = [letters.find(name) for name in letters.names()]
    assert letter.message["To"] == ADDRESS
    return str(re.search(r"http://\S+/welcome/\S+", letter.text)[0])


def sign_out(page: Page) -> None:
    page.goto("/admin/")
    page.get_by_role("button").filter(has_text=ADDRESS).focus()  # the menu of who is signed in, by the keyboard
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/logout/")


def come_back(page: Page, code: str) -> None:
    """The password, and then a code."""
    sign_in(page, ADDRESS)
    page.wait_for_url("**/code/**")
    page.get_by_role("textbox", name="Code").fill(code)
    page.keyboard.press("Enter")


def test_from_the_invitation_to_the_second_factor_and_back_in(browser: Browser, web: str):
    person("boss", roles.ADMINISTRATOR, first_name="Bo", password=PASSWORD)
    boss, olga = opened(browser, web), opened(browser, web)
    sign_in(boss, "boss")
    olga.goto(invite(boss))
    olga.get_by_label("Password").fill(PASSWORD)
    olga.get_by_label("Once more").fill(PASSWORD)
    olga.get_by_role("button", name="Go in").click()

    expect(olga.get_by_text("Your role needs a second factor.")).to_be_visible()
    secret = b32decode(olga.locator("code").inner_text())
    olga.get_by_role("textbox", name="Code").fill("000000")
    olga.get_by_role("button", name="Turn it on").click()
    expect(olga.get_by_text("Wait for the next one in your app and type that")).to_be_visible()
    assert b32decode(olga.locator("code").inner_text()) == secret, "the app holds it already"
    olga.get_by_role("textbox", name="Code").fill(f"{totp(secret):06}")
    olga.get_by_role("button", name="Turn it on").click()
    expect(olga.get_by_text("they are not shown again")).to_be_visible()
    recovery = olga.locator(".cs-codes code").all_inner_texts()
    assert len(set(recovery)) == 10
    olga.get_by_role("link", name="I have kept them").click()
    expect(olga.get_by_role("heading", name="Need you")).to_be_visible()

    sign_out(olga)
    come_back(olga, f"{totp(secret, drift=1):06}")  # of the next half minute: each is good once
    expect(olga.get_by_role("heading", name="Need you")).to_be_visible()
    sign_out(olga)
    come_back(olga, recovery[0])
    expect(olga.get_by_role("heading", name="Need you")).to_be_visible()
    sign_out(olga)
    come_back(olga, recovery[0])
    expect(olga.get_by_text("is not right, or was used before")).to_be_visible()

    boss.reload()
    expect(boss.get_by_text("Standing").locator("..")).to_contain_text("active")
    expect(boss.get_by_text("Second factor", exact=True).locator("..")).to_contain_text("yes")
    for page in (boss, olga):
        page.context.close()
