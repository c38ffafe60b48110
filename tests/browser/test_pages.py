"""Every page of the console as people see it: it fits, it reads, and it takes no orders from names."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, BrowserContext, Page

from success import roles
from success.models import Supplier
from tests.browser.conftest import PASSWORD, WIDTHS, sign_in
from tests.hostile import ORDERS
from tests.places import Place, of_book, places
from tests.worlds import PLAIN, person, populate, run_the_house, tear_down


@pytest.fixture
def house(committed: None, request: pytest.FixtureRequest) -> Iterator[list[Supplier]]:
    """An administrator's book, and all else that pages show, in the words the test asks for."""
    boss = person("boss", roles.ADMINISTRATOR, password=PASSWORD, first_name="Bo", last_name="Berg")
    book = populate(owner=boss, texts=request.param, suppliers=len(request.param))
    run_the_house(boss=boss, texts=request.param)
    yield book
    tear_down()


def entered(browser: Browser, base: str, **about: Any) -> BrowserContext:
    context = browser.new_context(base_url=base, **about)
    sign_in(context.new_page(), "boss")
    return context


def pages_of(context: BrowserContext, book: list[Supplier], **about: Any) -> list[Place]:
    """Those that are pages: not what is forbidden, leads elsewhere, is a part of a page, for scripts or spreadsheets, or only takes what is sent."""
    found = [(place, context.request.get(place.path, max_redirects=0)) for place in places(of_book(book), **about)]
    return [place for place, answer in found if answer.status == 200 and "<html" in answer.text()[:200]]


# ---------------------------------------------------------------- reads and fits

STILL = "*, *::before, *::after { transition: none !important; animation: none !important }"
SERIOUS = ("serious", "critical")


STATES = (("light", "desk"), ("dark", "desk"), ("dark", "phone"), ("light", "phone"))


@pytest.mark.parametrize("house", [PLAIN], indirect=True, ids=[""])
def test_every_page_fits_and_reads(browser: Browser, house: list[Supplier], web: str):
    """At both widths, light and dark, no page scrolls sideways and axe finds nothing serious: not in the admin's own frame either."""
    context, outside = entered(browser, web, color_scheme="light"), browser.new_context(base_url=web, color_scheme="light")
    found = [what_is_wrong(context.pages[0], place.path) for place in pages_of(context, house) if "?q=" not in place.path]
    found.append(what_is_wrong(outside.new_page(), "/admin/login/"))
    context.close()
    outside.close()
    assert len(found) > 50
    assert "\n".join(str(one) for wrong in found for one in wrong) == ""


def what_is_wrong(page: Page, path: str) -> list[tuple[str, ...]]:
    wrong: list[tuple[str, ...]] = []
    page.set_viewport_size(WIDTHS["desk"])
    page.goto(path)
    page.add_style_tag(content=STILL)
    page.evaluate(AXE_SCRIPT)
    for scheme, width in STATES:
        page.evaluate("dark => document.documentElement.classList.toggle('dark', dark)", scheme == "dark")
        page.set_viewport_size(WIDTHS[width])
        if (wide := page.evaluate("document.documentElement.scrollWidth")) > WIDTHS[width]["width"]:
            wrong.append((path, width, f"is {wide} wide"))
        wrong += [(path, scheme, width, *one) for one in serious(page, everything=(scheme, width) == STATES[0])]
    return wrong


def serious(page: Page, *, everything: bool) -> list[tuple[str, str]]:
    """What axe finds: all it looks for, or what colours and widths change."""
    about = {} if everything else {"runOnly": ["color-contrast", "scrollable-region-focusable"]}
    found = page.evaluate("about => axe.run(about)", {"resultTypes": ["violations"], **about})
    return [(one["id"], node["html"][:200]) for one in found["violations"] if one["impact"] in SERIOUS for node in one["nodes"]]


# ---------------------------------------------------------------- takes no orders

NAMES = (Path(__file__).parent / "names.js").read_text()
# For pages of one kind, by the browser's own parser alone, without running them.
PARSED = f"""async paths => {{
    const grown = async (path) => ({NAMES}).grown(new DOMParser().parseFromString(await (await fetch(path)).text(), "text/html"));
    return (await Promise.all(paths.map(grown))).flat();
}}"""


@pytest.mark.parametrize("house", [ORDERS], indirect=True, ids=[""])
def test_no_page_obeys_a_name(browser: Browser, house: list[Supplier], web: str):
    """Sixty hostile names in all that people and products may write: each page shows them, and none does what they say."""
    context, wrong, said = entered(browser, web, viewport=WIDTHS["desk"]), [], ""
    page = context.pages[0]
    page.on("dialog", lambda dialog: (wrong.append((page.url, "a dialog", dialog.message)), dialog.dismiss()))
    page.on("console", lambda line: wrong.append((page.url, "refused by the policy", line.text)) if "Content Security" in line.text else None)
    page.on("pageerror", lambda error: wrong.append((page.url, "an error of a script", str(error))))
    page.on("request", lambda asked: wrong.append((page.url, "asked for", asked.url)) if "taken" in asked.url.partition("?")[0] else None)
    for place in pages_of(context, house, word="<x-taken>"):
        page.goto(place.path)
        wrong += [(place.path, "grown", one) for one in page.evaluate(f"({NAMES}).grown(document)")]
        text = page.evaluate(f"({NAMES}).seen(document)")
        if page.title() == "taken" or page.evaluate("window.taken") or "133917" in text:
            wrong.append((place.path, "obeyed", page.title()))
        said += text
    of_one = [place.path for place in places(of_book(house), most=len(ORDERS)) if place.route in ("console:supplier", "admin:success_supplier_change")]
    wrong += [("a supplier's page", "grown", one) for one in page.evaluate(PARSED, of_one)]
    context.close()
    assert not wrong, "\n".join(map(str, wrong[:100]))
    unseen = [order for order in ORDERS if "".join(order.split()) not in "".join(said.split())]
    assert not unseen, "these were never shown, so nothing is proved of them"
