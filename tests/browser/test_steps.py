"""The steps of a playbook are made and changed by rows."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from interventions.models import Playbook
from success import clock


@pytest.fixture
def playbook(desk: Page) -> Iterator[Playbook]:
    """One like the built-in, to be changed; the built-in ones outlive a test."""
    like = Playbook.objects.get(key="first_weeks_quiet")
    own = Playbook.objects.create(key="own", name="Own", condition=like.condition, goal=like.goal, steps=like.steps, changed_at=clock.now())
    yield own
    own.delete()


def step(page: Page, n: int) -> Locator:
    return page.locator("[data-steps] li").nth(n)


def test_change_a_playbooks_steps_by_rows(desk: Page, playbook: Playbook):
    before = playbook.steps
    desk.goto(f"/admin/interventions/playbook/{playbook.pk}/change/")
    expect(step(desk, 0).get_by_label("Message")).to_have_value("first_weeks_quiet")
    expect(step(desk, 1).get_by_label("Task")).to_have_value(before[1]["title"])
    desk.get_by_role("button", name="Add a step").click()
    step(desk, 2).get_by_label("What is done").select_option("task")
    step(desk, 2).get_by_label("Task").fill("Call once more")
    step(desk, 2).get_by_label("Days after the step before").fill("7")
    step(desk, 2).get_by_role("button", name="Move this step up").click()
    desk.get_by_role("button", name="Save", exact=True).click()
    expect(desk.get_by_text("was changed successfully")).to_be_visible()
    playbook.refresh_from_db()
    assert playbook.steps == [before[0], {"do": "task", "title": "Call once more", "after_days": 7}, before[1]]
    assert playbook.version == 2


def test_a_step_that_says_not_enough_comes_back_as_it_was_given(desk: Page, playbook: Playbook):
    desk.goto(f"/admin/interventions/playbook/{playbook.pk}/change/")
    desk.get_by_role("button", name="Add a step").click()
    desk.get_by_role("button", name="Save", exact=True).click()
    expect(desk.get_by_text("Step 3: A message needs a template.")).to_be_visible()
    expect(step(desk, 2).get_by_label("What is done")).to_have_value("message")
    step(desk, 2).get_by_role("button", name="Remove this step").press("Enter")
    desk.get_by_role("button", name="Save", exact=True).click()
    expect(desk.get_by_text("was changed successfully")).to_be_visible()
