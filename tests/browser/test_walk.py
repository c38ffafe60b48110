"""The newcomer's walk of the README, step by step, on all the programs that `make run` starts: a demo of Sarah alone, a real browser, and no hand but theirs."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator

import pytest
import redis
from django.conf import settings
from django.test import override_settings
from django_celery_beat.models import PeriodicTask
from playwright.sync_api import Browser, Page, expect

from config.local import ahead
from config.local.checkout import PROCFILE
from config.local.demo import loading, sarah, source, staff
from config.local.mailbox import letters
from config.local.procfile import commands
from interventions import playbooks
from success import clock
from success.models import Supplier
from tests.browser.conftest import opened, sign_in
from tests.server import free_port, wait_for
from tests.streams import start

SOON = 15_000  # milliseconds
MANAGER = "maya.lindqvist"


@pytest.fixture
def sarah_alone(committed: None) -> Iterator[Supplier]:
    """The demo without its other 2,000, of whom loading would take a minute."""
    with override_settings(DEBUG=True, QUIET_HOURS="00:00-00:00"):
        of, at = source.begin(at=clock.now()), clock.now()
        staff.hire()
        loading.place_sarah(of, at=at)
        loading.score(at=at)
        loading.tell_history(loading.suppliers_of(of), at=at)
        loading.reach_out(at=at)
        source.complete(of)
        playbooks.sweep(at=at)
        yield Supplier.objects.get(external_id=sarah.ID)
        ahead.go_back()


@pytest.fixture
def stack(sarah_alone: Supplier, mailbox: int) -> Iterator[str]:
    """The base URL of a whole stack: each line of the Procfile, as `make run` starts it."""
    redis.Redis.from_url(settings.CELERY_BROKER_URL).flushdb()
    port, stream = free_port(), free_port()
    base = f"http://127.0.0.1:{port}"
    environment = {
        "PORT": str(port), "STREAM_PORT": str(stream), "BASE_URL": base, "STREAM_URL": f"http://127.0.0.1:{stream}/stream/", "PRODUCT_ORIGINS": base,
        "PRODUCT_URL": f"{base}/playground/clients/import/", "EMAIL_URL": f"smtp://127.0.0.1:{mailbox}", "LOCAL_MAIL": str(letters.FOLDER),
        "QUIET_HOURS": "00:00-00:00", "REQUIRE_SECOND_FACTOR": "", "DB_POOL_SIZE": "4",
    }  # fmt: skip
    programs = [start(["/bin/sh", "-c", line], **environment) for line in commands(PROCFILE).values()]
    try:
        wait_for(f"{base}/livez", programs[0])
        yield base
    finally:
        stop(programs)
    PeriodicTask.objects.update(last_run_at=None, total_run_count=0)


def stop(programs: list[subprocess.Popen[bytes]]) -> None:
    """All at once; a worker first ends what it is at."""
    for program in programs:
        program.terminate()
    for program in programs:
        try:
            program.wait(40)
        except subprocess.TimeoutExpired:
            os.killpg(program.pid, signal.SIGKILL)
            program.wait(5)


def test_the_newcomers_walk(stack: str, sarah_alone: Supplier, browser: Browser):
    desk = opened(browser, stack)
    sign_in(desk, MANAGER, staff.password_of(MANAGER))
    desk.get_by_role("link", name="Sarah Whitmore").first.click()
    expect(desk.locator(".cs-score .cs-level")).to_have_text("at risk")
    hers = desk.url
    desk.get_by_role("link", name="Preview and send").click()
    expect(desk.get_by_role("dialog").get_by_text("Your 5 clients are in")).to_be_visible()

    product = from_her_letter(desk)
    expect(product.locator(".score")).to_have_text("47.5", timeout=SOON)
    product.get_by_role("button", name="Sign in as Sarah Whitmore").click()
    expect(product.locator(".score")).to_have_text("67.5")

    product.get_by_role("button", name="Import 20 clients").click()
    card = product.locator("success-celebration [part=card]")
    expect(card).to_contain_text("Client list", timeout=SOON)
    product.keyboard.press("Escape")
    expect(card).to_have_count(0)
    expect(product.get_by_text("20 couples came over.")).to_be_visible()
    expect(product.get_by_text("Amelie & Jack")).to_be_visible()
    drawer = product.locator("#drawer")
    expect(drawer.get_by_text("the latest: Client list")).to_be_visible(timeout=SOON)
    expect(drawer.get_by_text("Playbook ended")).to_be_visible(timeout=SOON)

    product.get_by_role("link", name="Forms").click()
    product.get_by_role("link", name="New form").click()
    product.get_by_role("button", name="Make the form").click()
    expect(product.locator(".level")).to_have_text("Healthy", timeout=SOON)
    product.reload()
    expect(product.get_by_role("button", name="Messages")).to_be_visible()
    product.wait_for_timeout(1_500)
    expect(card.filter(has_text="Client list")).to_have_count(0)  # seen once is seen

    desk.goto(hers)
    expect(desk.get_by_text("ended").first).to_be_visible()
    expect(desk.get_by_text(re.compile("First weeks, quiet: she got there"))).to_be_visible()
    expect(desk.locator(".cs-score .cs-level")).to_have_text("healthy")


def from_her_letter(desk: Page) -> Page:
    """Her mail, which the playbook sent by itself, and the page of the product that its button opens."""
    for _ in range(60):
        desk.goto("/mailbox/")
        if desk.get_by_role("link", name="Your 5 clients are in").count():
            break
        desk.wait_for_timeout(500)
    desk.get_by_role("link", name="Your 5 clients are in").click()
    with desk.context.expect_page() as followed:
        desk.frame_locator("iframe").get_by_role("link", name="Bring in my clients").click()
    assert "as=sarah" in followed.value.url
    return followed.value


def test_a_day_later_her_next_step_and_the_night_happen(stack: str, sarah_alone: Supplier, browser: Browser):
    page = opened(browser, stack)
    page.goto("/playground/")
    for text in ("Mail sent", "First weeks, quiet is under way"):
        expect(page.locator("#drawer").get_by_text(text)).to_be_visible(timeout=30_000)
    for day in ("1 day", "2 days", "3 days"):
        page.get_by_role("button", name="A day later").click()
        expect(page.get_by_text(f"{day} ahead of the world")).to_be_visible(timeout=30_000)
    expect(page.locator("#drawer").get_by_text("Quiet in her first weeks: call her").first).to_be_visible(timeout=30_000)
    expect(page.get_by_text("last here 12 days ago")).to_be_visible()
