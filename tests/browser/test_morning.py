"""A success manager's morning."""

from playwright.sync_api import Page, expect

from success.models import Supplier


def test_a_managers_morning(desk: Page, people: Supplier):
    """Without the mouse leaving the list: a note, a call, a task, a snooze; and it is all there when she comes back."""
    line = desk.get_by_role("listitem").filter(has=desk.get_by_role("link", name="Sarah Lund", exact=True))
    for action, fill in {
        "Note": {"Note": "She waits for her price list."},
        "Contacted": {"What was said": "Shows me her forms on Friday."},
        "Task": {"To do": "Send the form guide"},
        "Snooze": {"Because": "we talk on Friday"},
    }.items():
        line.get_by_role("link", name=f"{action}: Sarah Lund").click()
        dialog = desk.get_by_role("dialog")
        for label, words in fill.items():
            dialog.get_by_label(label).fill(words)
        dialog.get_by_role("button", name=action if action != "Contacted" else "I contacted her").click()
        expect(desk.get_by_role("heading", name="Need you")).to_be_visible()
    expect(line).to_have_count(0)
    expect(desk.get_by_text("Left out: 1 snoozed")).to_be_visible()
    desk.get_by_role("link", name="account-0").click()
    for words in ("She waits for her price list.", "Shows me her forms on Friday.", "Send the form guide", "we talk on Friday"):
        expect(desk.get_by_text(words).first).to_be_visible()
    desk.get_by_role("button", name="Done: Send the form guide").click()
    expect(desk.get_by_text("Task done")).to_be_visible()


def test_a_dialog_is_left_by_the_keyboard_and_comes_back_with_what_was_wrong(desk: Page, people: Supplier):
    desk.goto(f"/admin/suppliers/{people.pk}/")
    desk.get_by_role("link", name="Snooze").focus()
    desk.keyboard.press("Enter")
    expect(desk.get_by_role("dialog")).to_be_visible()
    desk.keyboard.press("Escape")
    expect(desk.get_by_role("dialog")).to_have_count(0)
    desk.keyboard.press("Enter")
    desk.get_by_label("Until").fill("2020-01-01")
    desk.get_by_label("Because").fill("on holiday")
    desk.keyboard.press("Enter")
    expect(desk.get_by_text("Choose tomorrow or a later day.")).to_be_visible()
    expect(desk.get_by_label("Because")).to_have_value("on holiday")
