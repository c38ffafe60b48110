"""A segment is made and changed by rows, with the mouse and without."""

from playwright.sync_api import Locator, Page, expect

from success.models import Segment


def row(page: Page, n: int) -> Locator:
    return page.locator(".cs-tests > .cs-test").nth(n)


def test_make_a_segment_by_rows(desk: Page):
    desk.goto("/admin/success/segment/add/")
    desk.get_by_label("Name").fill("Quiet and low")
    row(desk, 0).get_by_label("Fact").select_option("score")
    row(desk, 0).get_by_label("Comparison").select_option("less_than")
    expect(desk.get_by_text("Row 1: Give a number.")).to_be_visible()
    row(desk, 0).get_by_label("Value").fill("70")
    desk.get_by_role("button", name="Add a row", exact=True).click()
    row(desk, 1).get_by_label("Fact").select_option("features")
    row(desk, 1).get_by_label("Forms created").check()
    desk.get_by_role("button", name="Add a group").click()
    row(desk, 2).get_by_label("Fact").select_option("events")
    row(desk, 2).get_by_label("Event").fill("Signed In")
    row(desk, 2).get_by_label("Value").fill("1")
    row(desk, 2).get_by_label("Days").fill("60")
    desk.get_by_role("button", name="Add a row to this group").click()
    row(desk, 3).get_by_label("Fact").select_option("plan")
    row(desk, 3).get_by_label("Value").fill("studio")
    beside = desk.locator("[data-beside]")
    said = "Score less than 70 and features used include Forms created and (“Signed In” happened at least 1 time in the last 60 days or plan is studio)."
    expect(beside).to_contain_text(said)
    expect(beside.get_by_role("heading")).to_contain_text("suppliers today")
    desk.get_by_role("button", name="Save", exact=True).click()
    expect(desk.get_by_text("was added successfully")).to_be_visible()
    assert Segment.objects.get(key="quiet-and-low").condition == {
        "all": [
            {"fact": "score", "is": "less_than", "value": 70},
            {"fact": "features", "is": "has_all", "value": ["forms_created"]},
            {"any": [{"fact": "events", "is": "at_least", "value": 1, "event": "Signed In", "days": 60}, {"fact": "plan", "is": "is", "value": "studio"}]},
        ]
    }


def test_rows_by_keyboard_alone(desk: Page):
    """What is there comes back as rows; a removed row leaves the keyboard at its neighbour."""
    segment = Segment.objects.create(key="pro", name="Pro", condition={"all": [{"fact": "plan", "is": "is", "value": "pro"}, {"fact": "score", "is": "known"}]})
    desk.goto(f"/admin/success/segment/{segment.pk}/change/")
    expect(row(desk, 0).get_by_label("Value")).to_have_value("pro")
    row(desk, 1).get_by_role("button", name="Remove this row").focus()
    desk.keyboard.press("Enter")
    expect(row(desk, 0).get_by_label("Fact")).to_be_focused()
    desk.get_by_role("button", name="Add a row", exact=True).focus()
    desk.keyboard.press("Enter")
    expect(row(desk, 1).get_by_label("Fact")).to_be_focused()
    desk.keyboard.type("declining")
    desk.keyboard.press("Tab")
    desk.keyboard.press("Tab")
    desk.keyboard.type("not")
    expect(desk.locator("[data-beside]")).to_contain_text("Plan is pro and is not declining.")


def test_what_rows_cannot_show_is_kept(desk: Page):
    deep = {"all": [{"any": [{"all": [{"fact": "plan", "is": "is", "value": "pro"}]}]}]}
    segment = Segment.objects.create(key="deep", name="Deep", condition=deep)
    desk.goto(f"/admin/success/segment/{segment.pk}/change/")
    expect(desk.get_by_text("It stays as it is")).to_be_visible()
    expect(desk.locator("[data-beside]")).to_contain_text("Plan is pro.")
    desk.get_by_label("Name").fill("Deeper")
    desk.get_by_role("button", name="Save", exact=True).click()
    expect(desk.get_by_text("was changed successfully")).to_be_visible()
    segment.refresh_from_db()
    assert (segment.name, segment.condition) == ("Deeper", deep)
