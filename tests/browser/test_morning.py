"""A success manager's morning: at her desk, on her phone, without a mouse."""

import pytest
from playwright.sync_api import Locator, Page, expect

from success.models import Supplier

DONE = {  # what she does about Sarah, and what she writes
    "Note": ("Save the note", {"Note": "She waits for her price list."}),
    "Contacted": ("Save the contact", {"What was said": "Shows me her forms on Friday."}),
    "Task": ("Plan the task", {"To do": "Send the form guide"}),
    "Snooze": ("Snooze her", {"Because": "we talk on Friday"}),
}


def line_of(page: Page, name: str) -> Locator:
    return page.locator(".cs-line").filter(has=page.get_by_role("link", name=name, exact=True))


def press(where: Locator) -> None:
    where.click()


def touch(where: Locator) -> None:
    where.tap()


def look_after_sarah(page: Page, use: object) -> None:
    """Without leaving the list: a note, a call, a task, a snooze; and it is all there when she comes back."""
    line = line_of(page, "Sarah Lund")
    for action, (button, fill) in DONE.items():
        use(line.get_by_role("link", name=f"{action}: Sarah Lund"))
        dialog = page.get_by_role("dialog")
        for label, words in fill.items():
            dialog.get_by_label(label).fill(words)
        use(dialog.get_by_role("button", name=button))
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(page.get_by_role("heading", name="Need you")).to_be_visible()
    expect(line).to_have_count(0)
    expect(page.get_by_role("link", name="1 snoozed")).to_be_visible()
    use(page.locator(".cs-task").get_by_role("link", name="Sarah Lund"))
    for _, fill in DONE.values():
        for words in fill.values():
            expect(page.get_by_text(words).first).to_be_visible()
    use(page.get_by_role("button", name="Done: Send the form guide"))
    expect(page.get_by_text("Task done")).to_be_visible()


def test_a_managers_morning(desk: Page):
    look_after_sarah(desk, press)


def test_a_managers_morning_on_her_phone(phone: Page):
    look_after_sarah(phone, touch)
    for size in phone.locator(".cs-button:visible").evaluate_all(
        "all => all.map(one => { const { width, height } = one.getBoundingClientRect(); return [width, height] })"
    ):
        assert min(size) >= 24, "too small to touch (WCAG 2.2, 2.5.8)"


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.ariaLabel || document.activeElement.innerText || document.activeElement.name"))


def tab_to(page: Page, name: str) -> None:
    """As far as the keyboard has to go."""
    for _ in range(150):
        if focused(page) == name:
            return
        page.keyboard.press("Tab")
    pytest.fail(f"the keyboard does not reach {name}")


def test_a_morning_without_a_mouse(desk: Page):
    """Tab reaches a line's buttons, Enter opens, Escape closes and one is where one was; what is in focus is seen."""
    tab_to(desk, "Note: Sarah Lund")
    assert desk.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("dialog")).to_be_visible()
    assert desk.evaluate("document.activeElement.name") == "text"
    desk.keyboard.press("Escape")
    expect(desk.get_by_role("dialog")).to_have_count(0)
    assert focused(desk) == "Note: Sarah Lund"
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("dialog")).to_be_visible()
    desk.keyboard.type("Typed, not clicked.")
    desk.keyboard.press("Tab")
    assert focused(desk) == "Save the note"
    desk.keyboard.press("Enter")
    expect(desk.get_by_text("The note stands in her timeline.")).to_be_visible()
    tab_to(desk, "Sarah Lund")
    desk.keyboard.press("Enter")
    expect(desk.get_by_text("Typed, not clicked.")).to_be_visible()


def test_what_was_typed_stays_when_it_cannot_be_taken(desk: Page, people: Supplier):
    desk.goto(f"/admin/suppliers/{people.pk}/")
    desk.get_by_role("link", name="Snooze").click()
    desk.get_by_label("Until").fill("2020-01-01")
    desk.get_by_label("Because").fill("on holiday")
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("dialog").get_by_text("Choose tomorrow or a later day.")).to_be_visible()
    expect(desk.get_by_label("Because")).to_have_value("on holiday")


def test_back_to_the_list_as_it_was_filtered(desk: Page):
    desk.goto("/admin/success/supplier/?owner=mine&plan=pro&o=5&q=account")
    desk.get_by_role("link", name="Ines Costa").click()
    expect(desk.get_by_role("heading", name="How she stands")).to_be_visible()
    desk.get_by_role("link", name="Note").click()
    desk.get_by_role("textbox", name="Note").fill("Back in a moment.")
    desk.get_by_role("dialog").get_by_role("button", name="Save the note").click()
    expect(desk.get_by_text("Back in a moment.")).to_be_visible()
    desk.get_by_role("link", name="Back to the list").click()
    expect(desk.get_by_role("link", name="Ines Costa")).to_be_visible()
    assert desk.url.endswith("/admin/success/supplier/?owner=mine&plan=pro&o=5&q=account")
