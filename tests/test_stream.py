"""The stream: who is let in, what a page hears, who may stay. Real servers, a real dispatcher, real sockets."""

import asyncio
import resource
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from success import keys, limits, privacy
from success.models import ApiKey, MessageTemplate, Notification, Push, Supplier
from success.stream.answers import header
from success.stream.figures import figures
from success.stream.pages import Page
from success.stream.pushes import Said, forget, push_all, settle
from success.stream.tickets import Ticket
from success.stream.wire import SERVERS
from tests import callers
from tests.callers import Api, is_problem
from tests.factories import SupplierFactory
from tests.streams import TICKETS, Listener, close_all, dispatcher, listening, say, server, ticket, wait_until


@pytest.fixture
def sarah(committed):
    yield SupplierFactory(external_id="sarah")
    close_all()


@pytest.fixture(scope="module")
def dispatching(django_db_setup):
    with dispatcher() as process:
        yield process


@pytest.fixture(scope="module")
def stream(django_db_setup, dispatching):
    with server() as (address, _):
        yield address


def opened() -> list[int]:
    """How many pages each server says that it has open."""
    return list((figures(at=datetime.now(UTC)).servers or {}).values())


# ---------------------------------------------------------------- what a page hears


def test_a_page_hears_what_is_said_to_its_supplier_and_nothing_else(sarah, stream):
    other = SupplierFactory(external_id="other")
    pages = [Listener(stream, ticket()), Listener(stream, ticket())]
    stranger = Listener(stream, ticket("other"))
    for page in (*pages, stranger):
        assert (page.status, page.answer.headers["Content-Type"], page.answer.headers["Cache-Control"]) == (200, "text/event-stream", "no-store")
        page.wait("hello")
    say(sarah, 1, 2)
    say(other, 3)
    say(sarah, 4, event="notification")
    for page in pages:
        page.wait("notification")
        assert page.numbers() == [1, 2, 4]
        assert [one.id for one in page.of("celebration", "notification")] == list(
            Push.objects.filter(supplier=sarah).order_by("id").values_list("place", flat=True)
        )
    stranger.wait("celebration")
    assert stranger.numbers() == [3]
    assert pages[0].retry != pages[1].retry  # they come back at times of their own


def test_a_page_that_opens_hears_what_waits_until_it_is_settled(sarah, stream):
    first = Listener(stream, ticket())
    say(sarah, 1, 2, waits=True)
    say(sarah, 3)
    first.wait("celebration", 3)
    second = listening(stream, ticket())
    assert second.numbers() == [1, 2]
    settle(["k1"], at=datetime.now(UTC))
    third = listening(stream, ticket())
    assert third.numbers() == [2]
    assert third.last >= first.last


@pytest.mark.parametrize("how", ["header", "parameter"])
def test_a_page_that_comes_back_hears_what_it_missed(sarah, stream, how):
    page = Listener(stream, ticket())
    say(sarah, 1, waits=True)
    page.wait("celebration")
    page.close()
    say(sarah, 2, 3)
    say(sarah, 4, waits=True)
    wait_until(lambda: not Push.objects.filter(place=None).exists())
    settle(["k4"], at=datetime.now(UTC))  # seen on another device meanwhile
    back = listening(stream, ticket(), last=page.last, how=how)
    assert back.numbers() == [2, 3]


def test_a_page_that_heard_nothing_yet_comes_back_to_where_it_was(sarah, stream):
    page = Listener(stream, ticket())
    (hello,) = page.wait("hello")
    page.close()
    say(sarah, 1)
    back = Listener(stream, ticket(), last=hello.id)
    back.wait("celebration")
    assert back.numbers() == [1]


def test_what_is_for_later_is_said_later(sarah, stream):
    page = listening(stream, ticket())
    say(sarah, 0)
    page.wait("celebration")
    soon = datetime.now(UTC) + timedelta(seconds=1.5)
    push_all([Said(supplier=sarah.pk, event="celebration", key="later", data={"n": 9}, at=soon)], at=datetime.now(UTC))
    say(sarah, 1)
    page.wait("celebration", 3)
    assert page.numbers() == [0, 1, 9]
    assert page.of("celebration")[2].at >= soon.timestamp()


# ---------------------------------------------------------------- who is let in


def test_a_ticket_is_good_once(sarah, stream):
    text = ticket()
    page = Listener(stream, text)
    assert page.status == 200
    again = requests.get(stream, params={"ticket": text}, timeout=5)
    assert again.status_code == 401
    assert is_problem(again)
    assert again.headers["WWW-Authenticate"] == "Ticket"


def test_of_a_ticket_redis_holds_a_hash_and_no_name_for_half_a_minute(sarah):
    text = ticket()
    (place,) = limits.client().keys("ticket:*")
    assert text.encode() not in place
    kept = limits.client().get(place)
    assert b"sarah" not in kept
    assert text.encode() not in kept
    assert 25 <= limits.client().ttl(place) <= 30


def test_what_is_no_ticket_opens_nothing(sarah, stream):
    good = ticket()
    place = limits.client().keys("ticket:*")[0]
    expired = ticket()
    limits.client().delete(*[one for one in limits.client().keys("ticket:*") if one != place])
    bad = ["", "x", expired, good + "x", "x" * 5000, "\0", "ÿ", callers.token("sarah")]
    answers = [requests.get(stream, params={"ticket": text}, timeout=5) for text in bad] + [requests.get(stream, timeout=5)]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1
    assert Listener(stream, good).status == 200


def test_a_token_that_ended_before_its_ticket_was_used_opens_nothing(sarah, stream):
    text = ticket(exp=datetime.now(UTC) + timedelta(seconds=1))
    time.sleep(1.1)
    assert requests.get(stream, params={"ticket": text}, timeout=5).status_code == 401


def test_a_supplier_that_is_not_known_yet_has_her_stream(sarah, stream):
    page = listening(stream, ticket("new"))
    say(Supplier.objects.get(external_id="new"), 1)
    page.wait("celebration")


def test_the_erased_get_no_ticket(sarah):
    privacy.erase("sarah", at=datetime.now(UTC), opaque="erased-1")
    for caller, body in [(callers.token("sarah"), {}), (callers.key("write"), {"supplier": "sarah"})]:
        answer = Api(caller).post(TICKETS, body)
        assert (answer.status_code, is_problem(answer)) == (422, True)


def test_a_key_names_the_supplier_and_a_user_has_her_own(sarah):
    key, own = Api(callers.key("write")), Api(callers.token("sarah"))
    cases = [
        (key, {"supplier": "sarah"}, 201),
        (key, {}, 422),
        (key, {"supplier": 7}, 422),
        (key, {"supplier": ""}, 422),
        (key, {"supplier": "x" * 129}, 422),
        (key, {"supplier": "me"}, 404),
        (key, {"supplier": "a\0b"}, 422),
        (key, {"supplier": "sarah", "more": 1}, 422),
        (own, {}, 201),
        (own, {"supplier": "me"}, 201),
        (own, {"supplier": "sarah"}, 201),
        (own, {"supplier": "other"}, 404),
        (Api(callers.key("read", "ingest", "admin")), {"supplier": "sarah"}, 403),
        (Api(), {}, 401),
    ]
    assert [(api(("POST"), TICKETS, body).status_code, body) for api, body, _ in cases] == [(status, body) for _, body, status in cases]
    assert own("POST", TICKETS).status_code == 201  # without a body


def test_without_redis_there_is_no_ticket(sarah, settings):
    settings.LIMITS_REDIS_URL = "redis://127.0.0.1:1/1"
    limits.client.cache_clear()
    limits.script.cache_clear()
    try:
        answer = Api(callers.token("sarah")).post(TICKETS, {})
    finally:
        limits.client.cache_clear()
        limits.script.cache_clear()
        limits._away_until = 0.0
    assert (answer.status_code, is_problem(answer), answer["Retry-After"]) == (503, True, "5")


def test_one_address_has_few_tries(sarah):
    with server(RATE_LIMIT_FAILED_CREDENTIALS="0.1,3", NUM_PROXIES="1") as (address, _):
        tries = [requests.get(address, params={"ticket": f"t{n}"}, headers={"X-Forwarded-For": f"1.2.3.{n}, 9.9.9.9"}, timeout=5) for n in range(5)]
        assert [one.status_code for one in tries] == [401, 401, 401, 429, 429]
        assert is_problem(tries[-1])
        assert 5 <= int(tries[-1].headers["Retry-After"]) <= 20
        other = requests.get(address, params={"ticket": "t"}, headers={"X-Forwarded-For": "8.8.8.8"}, timeout=5)
        assert other.status_code == 401
        assert Listener(address, ticket()).status == 200


# ---------------------------------------------------------------- hostile ids


def test_no_last_id_leaks_or_breaks_anything(sarah, stream):
    other = SupplierFactory(external_id="other")
    stranger = listening(stream, ticket("other"))
    say(other, 1, 2, waits=True)
    say(other, 3)
    stranger.wait("celebration", 3)
    say(sarah, 4, waits=True)
    say(sarah, 5)
    wait_until(lambda: not Push.objects.filter(place=None).exists())
    foreign = [one.id for one in stranger.of("celebration")]
    for last in [foreign[0], foreign[-1], 0]:  # told all of her own that came after
        page = listening(stream, ticket(sub=f"a{last}"), last=last)
        assert page.numbers() == [4, 5]
        page.close()
    for n, last in enumerate(["9" * 18, "9" * 500, "-1", "1e3", "x", "' or 1=1 --", "1\x0b", "١", str(2**63)]):  # as if it had said nothing
        page = listening(stream, ticket(sub=f"b{n}"), last=last, how="parameter")
        assert page.numbers() == [4], last
        page.close()


# ---------------------------------------------------------------- verbs, origins, limits


def test_verbs_and_paths(sarah):
    with server(PRODUCT_ORIGINS="https://app.example.com,https://b.example.com") as (address, _):
        root = address.removesuffix("/stream/")
        assert [requests.request(verb, address, timeout=5).status_code for verb in ("POST", "PUT", "PATCH", "DELETE")] == [405] * 4
        assert requests.post(address, timeout=5).headers["Allow"] == "GET, HEAD, OPTIONS"
        head = requests.head(address, timeout=5)
        assert (head.status_code, head.headers["Content-Type"], head.content) == (200, "text/event-stream", b"")
        for path in ("/", "/stream", "/stream/x", "/api/v1/suppliers/", "/../etc"):
            answer = requests.get(root + path, timeout=5)
            assert (answer.status_code, is_problem(answer)) == (404, True)
        assert requests.get(f"{root}/livez", timeout=5).text == "ok"

        asked = requests.options(address, headers={"Origin": "https://app.example.com", "Access-Control-Request-Method": "GET"}, timeout=5)
        assert (asked.status_code, asked.headers["Access-Control-Allow-Origin"]) == (204, "https://app.example.com")
        for origin, allowed in [
            ("https://b.example.com", True),
            ("https://evil.example", False),
            ("null", False),
            ("*", False),
            ("https://app.example.com.evil.example", False),
        ]:
            page = requests.get(address, params={"ticket": ticket()}, headers={"Origin": origin}, timeout=5, stream=True)
            refused = requests.get(address, headers={"Origin": origin}, timeout=5)
            for answer, status in ((page, 200), (refused, 401)):
                assert answer.status_code == status
                assert answer.headers.get("Access-Control-Allow-Origin") == (origin if allowed else None)
                assert answer.headers["Vary"] == "origin"
            page.close()


def test_a_user_has_three_pages_over_all_servers_and_the_newest_stay(sarah):
    with server() as (one, _), server() as (two, _):
        pages = []
        for n in range(5):
            pages.append(Listener((one, two)[n % 2], ticket()))
            pages[-1].wait("hello")
        for page in pages[:2]:
            assert page.ended.wait(5)
            assert [heard.data for heard in page.of("bye")] == [{"reason": "elsewhere"}]
        assert not any(page.ended.is_set() or page.of("bye") for page in pages[2:])
        colleague = listening(one, ticket(sub="a colleague"))
        time.sleep(0.3)
        assert not any(page.ended.is_set() for page in (*pages[2:], colleague))


def test_a_room_is_given_back(sarah, stream):
    first = [Listener(stream, ticket()) for _ in range(3)]
    for page in first:
        page.wait("hello")
    first[2].close()
    wait_until(lambda: limits.client().zcard(limits.client().keys("stream:user:*")[0]) == 2)
    Listener(stream, ticket()).wait("hello")
    time.sleep(0.3)
    assert not first[0].ended.is_set()


def test_a_process_holds_so_many_and_a_ticket_outlives_its_refusal(sarah):
    with server(STREAM_MOST="2") as (address, _):
        pages = [Listener(address, ticket(sub=f"u{n}")) for n in range(2)]
        for page in pages:
            page.wait("hello")
        text = ticket()
        answer = requests.get(address, params={"ticket": text}, timeout=5)
        assert (answer.status_code, is_problem(answer), answer.headers["Retry-After"]) == (503, True, "5")
        pages[0].close()
        wait_until(lambda: 1 in opened())
        assert Listener(address, text).status == 200


def test_of_many_at_once_no_more_are_let_in(sarah):
    with server(STREAM_MOST="2") as (address, _), ThreadPoolExecutor(20) as many:
        tickets = [ticket(sub=f"u{n}") for n in range(20)]
        pages = list(many.map(lambda text: Listener(address, text), tickets))
        assert sorted(page.status for page in pages) == [200, 200] + [503] * 18


# ---------------------------------------------------------------- who may stay


def test_a_proxy_may_add_a_line_of_its_own():
    """The last that was said is the proxy's word; what a client says before it counts for nothing."""
    scope = {"headers": [(b"x-forwarded-for", b"6.6.6.6"), (b"origin", b"https://a.example"), (b"x-forwarded-for", b"9.9.9.9")]}
    assert limits.address_of(header(scope, b"x-forwarded-for"), "127.0.0.1", 1) == "9.9.9.9"


def test_a_server_that_went_without_a_word_is_forgotten(db):
    limits.client().hset(SERVERS, mapping={"gone": f"3 {int(time.time()) - 3600}", "here": f"2 {int(time.time())}"})
    assert figures(at=datetime.now(UTC)).servers == {"here": 2}
    assert limits.client().hkeys(SERVERS) == [b"here"]


def test_who_may_not_stay_is_closed(sarah):
    SupplierFactory(external_id="erased")
    text = callers.key("write")
    by_key = Api(text).post(TICKETS, {"supplier": "sarah"}).json()["ticket"]
    with server(STREAM_REVIEW_EVERY="0.5") as (address, _):
        stays = Listener(address, ticket())
        ends = [
            Listener(address, ticket(sub="short", exp=datetime.now(UTC) + timedelta(seconds=3))),
            Listener(address, by_key),
            Listener(address, ticket("erased")),
        ]
        for page in (stays, *ends):
            page.wait("hello")
        keys.revoke(ApiKey.objects.get(digest=keys.digest_of(text)), at=datetime.now(UTC))
        privacy.erase("erased", at=datetime.now(UTC), opaque="erased-1")
        for page in ends:
            assert page.ended.wait(8)
            assert [heard.data for heard in page.of("bye")] == [{"reason": "ended"}]
        assert not stays.ended.is_set()


# ---------------------------------------------------------------- much, and without a stream


def test_the_flood_of_one_supplier_reaches_her_whole(sarah, stream):
    page = listening(stream, ticket())
    say(sarah, *range(1, 1501))
    page.wait("celebration", 1500, seconds=20)
    assert page.numbers() == list(range(1, 1501))


def test_who_does_not_read_is_dropped_and_not_buffered(sarah, dispatching):
    with server() as (address, process), socket.socket() as deaf:
        reads = listening(address, ticket())
        url = urlsplit(address)
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect((url.hostname, url.port))
        deaf.sendall(f"GET {url.path}?ticket={ticket(sub='deaf')} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        wait_until(lambda: 2 in opened())
        before = memory_of(process)
        for part in range(40):  # 20 MB to each
            push_all(
                [Said(supplier=sarah.pk, event="celebration", key=f"k{part}-{n}", data={"n": n, "text": "x" * 50_000}) for n in range(10)],
                at=datetime.now(UTC),
            )
            reads.wait("celebration", 10 * (part + 1), seconds=30)
        wait_until(lambda: 1 in opened())
        assert memory_of(process) - before < 15_000_000
        deaf.settimeout(10)
        while deaf.recv(1_000_000):  # what was under way, then the end
            pass
        say(sarah, 77)
        reads.wait("celebration", 401)


def memory_of(process) -> int:
    """Of a process and those it started, resident, in bytes."""
    pids = [process.pid, *map(int, subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=False).stdout.split())]
    return sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize() for pid in pids)


def test_a_page_that_is_stuck_between_two_heartbeats_is_dropped():
    async def never(message):
        await asyncio.Event().wait()

    async def story():
        page = Page(Ticket(1, "", ""))
        page.writer = asyncio.create_task(page.write(b"first", never))
        page.begin([], place=0)
        await asyncio.sleep(0)
        page.beat()
        assert not page.writer.cancelling()
        page.beat()
        assert page.writer.cancelling()

    asyncio.run(story())


def test_polling_gives_what_waits(sarah, dispatching):
    api = Api(callers.token("sarah"))
    say(sarah, 1, 2, waits=True)
    say(sarah, 3)
    settle(["k1"], at=datetime.now(UTC))
    assert api.get("/api/v1/suppliers/me/pushes/").json()["results"][0]["event"] == "celebration"  # before or after it has its place
    wait_until(lambda: not Push.objects.filter(place=None).exists())
    answer = api.get("/api/v1/suppliers/me/pushes/")
    assert answer.json() == {"results": [{"id": Push.objects.get(key="k2").place, "event": "celebration", "data": {"n": 2}}], "next": None, "unread": 0}


def test_polling_costs_little_while_nothing_is_new(sarah):
    api = Api(callers.token("sarah"))
    for path in ("/api/v1/suppliers/me/pushes/", "/api/v1/suppliers/me/notifications/"):
        first = api.get(path)
        etag = first["ETag"]
        assert first.status_code == 200
        assert not etag.startswith("W/")
        assert first["Cache-Control"] == "private, no-cache"
        again = api.get(path, headers={"If-None-Match": etag})
        assert (again.status_code, again.content) == (304, b"")
        Notification.objects.create(supplier=sarah, template=MessageTemplate.objects.first(), category="tips", key=path, title="New", at=datetime.now(UTC))
        changed = api.get(path, headers={"If-None-Match": etag})
        assert (changed.status_code, changed.json()["unread"] > first.json()["unread"]) == (200, True)


def test_old_pushes_go(sarah):
    now = datetime.now(UTC)
    for days, waits, stays in [(29, False, True), (31, False, False), (31, True, True), (91, True, False)]:
        Push.objects.create(supplier=sarah, event="coach", key=f"{days} {waits} {stays}", at=now - timedelta(days=days), waits=waits)
    assert forget(at=now) == 2
    assert all(key.endswith("True") for key in Push.objects.values_list("key", flat=True))


def test_pages_of_the_product_alone_may_read_the_api(sarah, settings):
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.com"]
    api, path = Api(callers.token("sarah")), "/api/v1/suppliers/me/pushes/"
    for origin, allowed in [("https://app.example.com", True), ("https://evil.example", False), ("null", False)]:
        asked = Api()("OPTIONS", path, headers={"Origin": origin, "Access-Control-Request-Method": "GET"})
        answers = [asked, api.get(path, headers={"Origin": origin}), Api().get(path, headers={"Origin": origin})]
        assert [answer.status_code for answer in answers] == [200, 200, 401]
        assert [answer.headers.get("Access-Control-Allow-Origin") for answer in answers] == [origin if allowed else None] * 3
        assert not any("Access-Control-Allow-Credentials" in answer.headers for answer in answers)
    assert "Access-Control-Allow-Origin" not in api.get("/admin/login/", headers={"Origin": "https://app.example.com"}).headers
