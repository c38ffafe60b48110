"""`/static/success.js` on a product's page, an origin of its own, in real Chromium, with web, stream and dispatcher running."""

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from axe_playwright_python.base import AXE_SCRIPT
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, Page, expect
from pytest_django.plugin import DjangoDbBlocker

from milestones.models import Achievement
from success import clock, db, keys
from success.models import MessageTemplate, Notification, Supplier
from success.models.stream import Push
from success.stream.dispatching import LEADING
from tests import streams
from tests.browser.conftest import WIDTHS
from tests.browser.hosts import Host, serving
from tests.callers import bearer, token
from tests.conftest import emptied_afterwards
from tests.factories import SourceFactory, SupplierFactory
from tests.hostile import ORDERS
from tests.server import ROOT, free_port, running

NAMES = (Path(__file__).parent / "names.js").read_text()
TAG = '<script src="{base}/static/success.js" crossorigin defer></script><script src="/app.js" defer></script>'
HEADER = '<header style="display:flex;justify-content:flex-end"><success-inbox></success-inbox></header><input aria-label="Note" placeholder="A note">'
CARD = "success-celebration [part=card]"


@dataclass
class Product:
    """A product whose pages hold the widget, and the servers behind it."""

    base: str
    stream: str
    host: Host
    browser: Browser
    servers: ExitStack
    key: str
    process: streams.Process | None = None
    supplier: Any = None
    contexts: list[BrowserContext] = field(default_factory=list)

    def serve(self) -> None:
        """A stream server, in the place of one that went."""
        port = int(self.stream.split(":")[2].partition("/")[0])
        self.process = self.servers.enter_context(streams.server(port=port, PRODUCT_ORIGINS=self.host.base))[1]

    @property
    def who(self) -> str:
        return str(self.supplier.external_id)

    def send(self, *events: str, clients: int = 0) -> float:
        """What she does, through the API; returns when it was answered."""
        sent = [{"type": "track", "userId": self.who, "event": "Client Active", "properties": {"client_id": f"c{n}"}} for n in range(clients)]
        sent += [{"type": "track", "userId": self.who, "event": event} for event in events]
        answer = requests.post(f"{self.base}/v1/batch", json={"batch": sent}, headers=bearer(self.key), timeout=10)
        assert answer.json()["accepted"] == len(sent)
        return time.monotonic()

    def put(self, *, body: str = HEADER, options: str = "", then: str = "") -> str:
        """The page, and what its own script does; returns its address."""
        self.host.script(f"""
            window.heard = [];
            window.success = Success.init({{ token: {token(self.who)!r}, stream: {self.stream!r}, {options} }});
            for (const name of ["celebration", "notification", "seen", "state", "unread"]) success.on(name, (data) => heard.push([name, data]));
            {then}
        """)
        return self.host.page(TAG.format(base=self.base) + body)

    def all_seen(self) -> bool:
        return not Achievement.objects.filter(supplier=self.supplier, seen_at=None).exclude(milestone__celebration="none").exists()

    def context(self, width: str = "desk", **about: Any) -> BrowserContext:
        self.contexts.append(self.browser.new_context(viewport=WIDTHS[width], **about))
        return self.contexts[-1]

    def open(self, context: BrowserContext | None = None, *, state: str = "stream", **about: Any) -> Page:
        """Her page, connected."""
        page = (context or self.context()).new_page()
        page.goto(self.host.base + "/" if "address" not in about else about["address"])
        page.wait_for_function("state => heard.some(([name, data]) => name === 'state' && data === state)", arg=state)
        return page


@pytest.fixture(scope="module")
def servers(django_db_setup: None, django_db_blocker: DjangoDbBlocker, browser: Browser) -> Iterator[Product]:
    """Begun once: each test has a supplier of its own."""
    port = free_port()
    origins = {"PRODUCT_ORIGINS": f"http://127.0.0.1:{port}"}
    with emptied_afterwards(django_db_blocker), ExitStack() as stack:
        host = stack.enter_context(serving(port))
        base = stack.enter_context(running(**origins))[0]
        stack.enter_context(streams.dispatcher())
        key = keys.create(source=SourceFactory(), name="test", scopes=["ingest"])[1]
        product = Product(base, f"http://127.0.0.1:{free_port()}/stream/", host, browser, stack, key)
        product.serve()
        wait_until(lambda: db.rows("select 1 from pg_locks where locktype = 'advisory' and objid = %s", [LEADING]), seconds=30)
        yield product


@pytest.fixture
def product(servers: Product) -> Iterator[Product]:
    servers.supplier = SupplierFactory()
    servers.host.headers = {}
    servers.put()
    yield servers
    for context in servers.contexts:
        context.close()
    servers.contexts.clear()


def heard(page: Page, name: str) -> list[Any]:
    return [data for said, data in page.evaluate("heard") if said == name]


def wait_until(true: Callable[[], Any], *, seconds: float = 5) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not come true"
        time.sleep(0.02)


# ---------------------------------------------------------------- celebrated


def test_within_a_second_and_no_more_when_it_was_seen(product: Product):
    page = product.open()
    sent = product.send("Form Created")
    page.locator(CARD).wait_for()
    assert time.monotonic() - sent < 1
    expect(page.locator(CARD)).to_contain_text("First form")
    expect(page.locator(CARD)).to_contain_text("Send it to one couple")
    expect(page.locator("success-celebration canvas")).to_be_attached()
    wait_until(product.all_seen)
    expect(page.locator("success-inbox [part=badge]")).to_be_hidden()
    assert Notification.objects.get(supplier=product.supplier).read_at
    page.reload()
    page.wait_for_function("heard.some(([name, data]) => data === 'stream')")
    page.wait_for_timeout(500)
    expect(page.locator(CARD)).to_have_count(0)
    assert heard(page, "celebration") == []


def test_what_waited_is_celebrated_when_she_comes_as_one(product: Product):
    for n, sent in enumerate([{"clients": 3}, {"clients": 25}], start=1):
        product.send(**sent)
        wait_until(lambda n=n: Push.objects.filter(supplier=product.supplier, event="celebration").exclude(place=None).count() == n)
    page = product.open()
    page.locator(CARD).wait_for()
    expect(page.locator(CARD)).to_have_count(1)
    expect(page.locator(CARD)).to_contain_text("You also reached")
    wait_until(product.all_seen)


def test_two_tabs_one_celebration(product: Product):
    context = product.context()
    pages = [product.open(context) for _ in range(2)]
    product.send("Form Created")
    wait_until(lambda: all(heard(page, "celebration") for page in pages))
    wait_until(product.all_seen)
    pages[0].wait_for_timeout(400)
    assert sum(page.locator(CARD).count() for page in pages) == 1


WITHOUT = {
    "locks": "Object.defineProperty(navigator, 'locks', { value: undefined })",
    "storage": "Object.defineProperty(window, 'localStorage', { get() { throw new Error('no storage here') } })",
}


def test_two_tabs_without_locks(product: Product):
    context = product.context()
    context.add_init_script(WITHOUT["locks"])
    pages = [product.open(context) for _ in range(2)]
    product.send("Form Created")
    wait_until(product.all_seen)
    pages[0].wait_for_timeout(400)
    assert sum(page.locator(CARD).count() for page in pages) == 1


def test_where_the_page_is_refused_locks(product: Product):
    """As in a sandboxed frame: the interface is there, and every request is turned down."""
    context = product.context()
    context.add_init_script("navigator.locks.request = () => Promise.reject(new DOMException('no', 'SecurityError'))")
    page = product.open(context)
    product.send("Form Created")
    page.locator(CARD).wait_for()


def test_without_storage_it_is_celebrated_all_the_same(product: Product):
    context = product.context()
    context.add_init_script(WITHOUT["storage"])
    page = product.open(context)
    product.send("Form Created")
    page.locator(CARD).wait_for()
    wait_until(product.all_seen)


def test_two_browsers_one_each(product: Product):
    pages = [product.open(product.context()) for _ in range(2)]
    product.send("Form Created")
    for page in pages:
        page.locator(CARD).wait_for()
    wait_until(product.all_seen)
    late = product.open(product.context())
    late.wait_for_timeout(400)
    assert heard(late, "celebration") == []


LOOKS_AWAY = "Object.defineProperty(document, 'visibilityState', { get: () => window.away ? 'hidden' : 'visible' }); window.away = true"


def look(page: Page, *, away: bool) -> None:
    page.evaluate("away => { window.away = away; document.dispatchEvent(new Event('visibilitychange')) }", away)


def test_a_hidden_tab_waits_until_she_looks(product: Product):
    context = product.context()
    context.add_init_script(LOOKS_AWAY.replace("window.away = true", "window.away = false"))
    page = product.open(context)
    look(page, away=True)
    product.send("Form Created")
    wait_until(lambda: heard(page, "celebration"))
    page.wait_for_timeout(300)
    expect(page.locator(CARD)).to_have_count(0)
    assert not product.all_seen()
    look(page, away=False)
    page.locator(CARD).wait_for()
    wait_until(product.all_seen)


def test_seen_elsewhere_while_nobody_looked(product: Product):
    context = product.context()
    context.add_init_script(LOOKS_AWAY.replace("window.away = true", "window.away = false"))
    page, other = product.open(context), product.open()
    look(page, away=True)
    product.send("Form Created")
    other.locator(CARD).wait_for()
    wait_until(product.all_seen)
    look(page, away=False)
    page.wait_for_timeout(600)
    expect(page.locator(CARD)).to_have_count(0)


# ---------------------------------------------------------------- whatever happens to the network


def test_offline_and_back(product: Product):
    page = product.open()
    page.context.set_offline(True)
    wait_until(lambda: heard(page, "state")[-1] == "offline")
    product.send("Form Created")
    page.wait_for_timeout(300)
    expect(page.locator(CARD)).to_have_count(0)
    page.context.set_offline(False)
    page.locator(CARD).wait_for()
    wait_until(lambda: heard(page, "state")[-1] == "stream")
    wait_until(product.all_seen)
    assert len(heard(page, "celebration")) == 1


def test_seen_is_said_until_the_server_has_heard_it(product: Product):
    context = product.context()
    context.route("**/seen/", lambda route: route.abort())
    page = product.open(context)
    product.send("Form Created")
    page.locator(CARD).wait_for()
    page.wait_for_timeout(300)
    assert not product.all_seen()
    context.unroute("**/seen/")
    page.reload()
    wait_until(product.all_seen)
    page.wait_for_timeout(300)
    expect(page.locator(CARD)).to_have_count(0)


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def test_the_stream_server_goes_and_comes_back(product: Product, by: signal.Signals):
    page = product.open()
    os.killpg(product.process.pid, by)
    product.process.wait()
    wait_until(lambda: heard(page, "state")[-1] == "polling")
    product.send("Form Created")
    page.locator(CARD).filter(has_text="First form").wait_for()
    page.keyboard.press("Escape")
    product.serve()
    wait_until(lambda: heard(page, "state")[-1] == "stream", seconds=15)
    product.send("Template Used")
    page.locator(CARD).filter(has_text="First template used").wait_for()
    wait_until(product.all_seen)
    assert [one["key"] for one in heard(page, "celebration")] == ["first_form", "first_template"]


def test_where_there_is_no_stream_at_all_it_is_asked_for(product: Product):
    context = product.context()
    context.add_init_script("delete window.EventSource")
    product.send("Form Created")
    wait_until(Push.objects.filter(supplier=product.supplier).exists)
    page = product.open(context, state="polling")
    page.locator(CARD).wait_for()
    wait_until(product.all_seen)


def test_a_stream_that_says_nothing_is_asked_around(product: Product):
    """Open, as a proxy keeps it that holds back what is said: it is polled meanwhile, and given up after a while."""
    product.host.answers["/silent/"] = ("text/event-stream", "")
    product.put(options=f"stream: '{product.host.base}/silent/',")
    context = product.context()
    context.clock.install()
    page = product.open(context)
    product.send("Form Created")
    wait_until(Push.objects.filter(supplier=product.supplier, event="celebration").exists)
    page.clock.run_for(25_000)
    page.locator(CARD).wait_for()
    page.clock.run_for(60_000)
    wait_until(lambda: "polling" in heard(page, "state"))


def test_a_laptop_that_slept_connects_anew(product: Product):
    context = product.context()
    context.clock.install()
    page = product.open(context)
    page.clock.fast_forward(3_600_000)
    wait_until(lambda: heard(page, "state")[-2:] == ["polling", "stream"], seconds=15)
    product.send("Form Created")
    page.locator(CARD).wait_for()


def test_a_token_that_is_over_is_renewed(product: Product):
    over = token(product.who, exp=clock.now() - timedelta(seconds=1))
    good = token(product.who)
    product.put(options=f"getToken: async () => {{ window.asked = (window.asked || 0) + 1; return {good!r} }}, token: {over!r},")
    page = product.open()
    assert page.evaluate("asked") == 1
    product.send("Form Created")
    page.locator(CARD).wait_for()


# ---------------------------------------------------------------- looks, keyboard, screen readers


def test_reduced_motion(product: Product):
    page = product.open(product.context(reduced_motion="reduce"))
    product.send("Form Created")
    page.locator(CARD).wait_for()
    page.wait_for_timeout(200)
    expect(page.locator("success-celebration canvas")).to_have_count(0)
    assert page.locator(CARD).evaluate("card => getComputedStyle(card).animationName") == "none"


def test_by_keyboard_alone_and_focus_is_never_stolen(product: Product):
    page = product.open()
    note = page.get_by_label("Note")
    note.focus()
    page.keyboard.type("ring the ")
    product.send("Form Created")
    page.locator(CARD).wait_for()
    page.keyboard.type("florist")
    expect(note).to_be_focused()
    expect(note).to_have_value("ring the florist")
    expect(page.locator("success-celebration [role=status]")).to_contain_text("You got there. First form. Your first form is ready to send.")
    page.keyboard.press("Tab")
    expect(page.locator(CARD).get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(CARD)).to_have_count(0)
    expect(note).to_be_focused()
    product.send("Template Used")
    page.locator(CARD).wait_for()
    page.keyboard.press("Escape")
    expect(page.locator(CARD)).to_have_count(0)
    expect(note).to_be_focused()


def tell(supplier: Supplier, title: str, *, text: str = "", link: str = "", days: int = 0) -> None:
    at = clock.now() - timedelta(days=days)
    template = MessageTemplate.objects.get(key="milestone_reached")
    key = f"test:{Notification.objects.count()}"
    Notification.objects.create(supplier=supplier, template=template, category="tips", key=key, title=title, text=text, link=link, at=at)


def test_the_bell_by_keyboard(product: Product):
    tell(product.supplier, "A tip", text="Bring in your clients.", link="https://app.example.com/clients", days=3)
    tell(product.supplier, "Another", link="javascript:window.taken=1")
    page = product.open()
    bell = page.get_by_role("button", name="Messages, 2 unread")
    bell.focus()
    page.keyboard.press("Enter")
    panel = page.get_by_role("region", name="Messages")
    expect(panel.get_by_role("listitem")).to_have_count(2)
    expect(panel.get_by_role("listitem").nth(1)).to_contain_text("Bring in your clients.")
    expect(panel.get_by_role("link")).to_have_count(1)
    assert panel.get_by_role("link").get_attribute("href") == "https://app.example.com/clients"
    expect(page.get_by_role("button", name="Messages", exact=True)).to_be_attached()
    assert not Notification.objects.filter(supplier=product.supplier, read_at=None).exists()
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    expect(page.get_by_role("button", name="Messages", exact=True)).to_be_focused()


def test_a_bell_that_is_open_while_there_is_no_network_says_nothing_to_the_page(product: Product):
    tell(product.supplier, "A tip")
    page, errors = product.open(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.route("**/read/", lambda route: route.abort())
    page.get_by_role("button", name="Messages, 1 unread").click()
    expect(page.get_by_role("listitem")).to_have_count(1)
    page.wait_for_timeout(300)
    assert errors == []


def test_an_empty_inbox_and_words_of_her_language(product: Product):
    product.put(options="locale: 'de', texts: { inbox: 'Nachrichten', empty: 'Noch nichts.' },")
    page = product.open()
    page.get_by_role("button", name="Nachrichten").click()
    expect(page.get_by_text("Noch nichts.")).to_be_visible()
    tell(product.supplier, "Hallo")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Nachrichten").click()
    said = page.evaluate("at => new Date(at).toLocaleDateString('de', { day: 'numeric', month: 'long' })", clock.now().isoformat())
    expect(page.locator("success-inbox [part=notice]")).to_contain_text(f"Hallo{said}")


@pytest.mark.parametrize("width", ["desk", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_reads_and_fits(product: Product, scheme: str, width: str):
    for n in range(3):
        tell(
            product.supplier,
            f"A tip with a rather long title that goes on for a while, number {n}",
            text="Words " * 40,
            link="https://x.example",
        )
    body = (
        '<meta name=viewport content="width=device-width"><style>html{color-scheme:light dark}body{margin:0}</style><main><h1>Clients</h1>' + HEADER + "</main>"
    )
    product.put(body=body)
    page = product.open(product.context(width, color_scheme=scheme, reduced_motion="reduce"))
    product.send("Form Created")
    page.locator(CARD).wait_for()
    wrong = serious(page)
    inside(page, CARD)
    page.keyboard.press("Escape")
    product.send("Template Used")
    page.locator(CARD).wait_for()
    page.get_by_role("button", name=re.compile("Messages")).click()
    expect(page.locator("success-inbox [part=notice]").first).to_be_visible()
    inside(page, CARD)
    inside(page, "success-inbox [part=panel]")
    assert wrong + serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTHS[width]["width"]


def serious(page: Page) -> list[tuple[str, str]]:
    page.evaluate(AXE_SCRIPT)
    found = page.evaluate("axe.run({ resultTypes: ['violations'] })")
    return [(one["id"], node["html"][:200]) for one in found["violations"] if one["impact"] in ("serious", "critical") for node in one["nodes"]]


def inside(page: Page, selector: str) -> None:
    box, window = page.locator(selector).bounding_box(), page.viewport_size
    assert box and window and box["x"] >= 0 and box["x"] + box["width"] <= window["width"] and box["y"] >= 0, box


# ---------------------------------------------------------------- on whatever page


def test_the_strictest_policy(product: Product):
    product.put(body="<success-inbox></success-inbox>")
    policy = f"default-src 'none'; script-src 'self' {product.base}; connect-src {product.base} {product.stream}; require-trusted-types-for 'script'"
    product.host.headers = {"Content-Security-Policy": policy}
    page, said = product.context().new_page(), []
    page.on("console", lambda line: said.append(line.text))
    page.goto(product.host.base + "/")
    page.get_by_role("button", name="Messages").click()
    product.send("Form Created")
    page.locator(CARD).wait_for()
    assert page.locator(CARD).evaluate("card => getComputedStyle(card).position") == "absolute"
    expect(page.locator("success-celebration canvas")).to_be_attached()
    wait_until(product.all_seen)
    assert [line for line in said if "favicon" not in line] == []


def test_names_are_only_names(product: Product):
    """Sixty hostile names as milestones and as messages: each is shown, and none does what it says."""
    wrong = []
    for order in ORDERS[:50]:
        tell(product.supplier, order, text=order, link=order)
    page = product.context().new_page()
    page.on("dialog", lambda dialog: (wrong.append(("a dialog", dialog.message)), dialog.dismiss()))
    page.on("pageerror", lambda error: wrong.append(("an error", str(error))))
    page.on("request", lambda asked: wrong.append(("asked for", asked.url)) if "taken" in asked.url.partition("?")[0] else None)
    page.goto(product.host.base + "/")
    page.get_by_role("button", name=re.compile("Messages")).click()
    expect(page.locator("success-inbox [part=notice]")).to_have_count(50)
    roots = "['success-inbox', 'success-celebration'].map((one) => document.querySelector(one).shadowRoot)"
    said = page.evaluate(f"{roots}.map((root) => root.textContent).join()")
    wrong += page.evaluate(f"{roots}.flatMap((root) => ({NAMES}).grown(root))")
    at = clock.now()
    Push.objects.bulk_create(
        [Push(supplier=product.supplier, event="celebration", key=f"celebration:{product.who}:{n}", waits=True, at=at,
              data={"type": "full", "key": f"k{n}", "keys": [], "title": order, "text": f"{order}\n{order}", "at": f"{n}"}) for n, order in enumerate(ORDERS)]
    )  # fmt: skip
    page.reload()
    page.locator(CARD).wait_for()
    said += page.evaluate(f"{roots}.map((root) => root.textContent).join()")
    wrong += page.evaluate(f"{roots}.flatMap((root) => ({NAMES}).grown(root))")
    assert not page.evaluate("window.taken") and page.title() != "taken"
    assert wrong == []
    squeezed = "".join(said.split())
    assert [order for order in ORDERS if "".join(order.split()) not in squeezed] == []


BROKEN = [
    ("a handler that throws", "", "success.on('celebration', () => { throw new Error('of the host') }); success.on('state', 5);", True),
    ("an onEvent that rejects", "onEvent: async () => { throw new Error('of the host') },", "", True),
    ("a getToken that throws", "token: '', getToken() { throw new Error('of the host') },", "", False),
    ("a getToken that rejects", "token: 'x', getToken: () => Promise.reject(new Error('of the host')),", "", False),
    ("no token at all", "token: undefined,", "", False),
    ("an address that is none", "api: 'http://',", "success.on('x', () => 0).off('x').on('y'); success.seen('z'); success.close();", False),
    ("a page that throws", "", "throw new Error('of the host itself')", True),
]


@pytest.mark.parametrize(("options", "then", "works"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
def test_its_errors_stay_away_from_the_page(product: Product, options: str, then: str, works: bool):
    product.put(options=options, then=then)
    page, errors, said = product.context().new_page(), [], []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda line: said.append(line.text))
    page.goto(product.host.base + "/")
    product.send("Form Created")
    if works:
        page.locator(CARD).wait_for()
    page.wait_for_timeout(400)
    assert [error for error in errors if "host itself" not in error] == []
    assert any(line.startswith("success.js:") for line in said) != ("host itself" in then)


def test_the_products_own_celebration(product: Product):
    product.put(options="celebrations: false,", then="success.on('celebration', (data) => { document.title = data.title; success.seen(data.key) })")
    page = product.open()
    product.send("Form Created")
    wait_until(product.all_seen)
    assert page.title() == "First form"
    expect(page.locator(CARD)).to_have_count(0)


def test_closed_it_is_gone(product: Product):
    page = product.open()
    page.evaluate("success.close()")
    product.send("Form Created")
    page.wait_for_timeout(500)
    expect(page.locator("success-celebration")).to_have_count(0)
    assert not product.all_seen()


# ---------------------------------------------------------------- as the README has it


def readme(kind: str) -> str:
    """The one block of this language in the section about pages."""
    section = (ROOT / "README.md").read_text().partition("## On your product's pages\n")[2].partition("\n## ")[0]
    [block] = re.findall(f"```{kind}\n(.*?)```", section, re.S)
    return block


def test_the_readme_word_for_word_on_an_empty_page(product: Product):
    page, code = product.context().new_page(), {}
    exec(readme("python"), code)  # noqa: S102 - our own README
    product.host.answers["/success-token"] = lambda: ("text/plain", code["success_token"](settings.JWT_SECRET, "user-1", product.who))
    text = readme("html").replace("http://127.0.0.1:8000", product.base).replace("http://127.0.0.1:8001/stream/", product.stream)
    product.host.answers["/"] = ("text/html; charset=utf-8", text)
    page.goto(product.host.base + "/")
    expect(page.get_by_role("button", name="Messages")).to_be_visible()
    product.send("Form Created")
    expect(page.locator(CARD)).to_contain_text("First form")
    wait_until(product.all_seen)
