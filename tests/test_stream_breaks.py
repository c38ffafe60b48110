"""The stream while its parts end, are killed, or lose each other: nothing is lost, nothing is said twice."""

import time
from datetime import UTC, datetime

import pytest
import requests
from django.db import connection

from config.local.processes import Guard
from config.local.valkey import Valkey
from success import limits
from success.models import Push
from success.stream.pushes import Said, push_all, settle
from tests import callers
from tests.callers import Api
from tests.factories import SupplierFactory
from tests.streams import TICKETS, Listener, close_all, dispatcher, kill, listening, say, server, ticket, wait_until


@pytest.fixture
def sarah(committed):
    yield SupplierFactory(external_id="sarah")
    close_all()


@pytest.fixture
def dispatching(committed):
    with dispatcher() as process:
        yield process


@pytest.fixture
def stream(committed):
    with server() as (address, _):
        yield address


def test_a_server_that_is_told_to_end_says_so_and_is_gone_soon(sarah):
    with server() as (address, process):
        pages = [Listener(address, ticket(sub=f"u{n}")) for n in range(5)]
        for page in pages:
            page.wait("hello")
        began = time.monotonic()
        process.terminate()
        process.wait(10)
        assert time.monotonic() - began < 3
        for page in pages:
            assert page.ended.wait(2)
            assert [heard.data for heard in page.of("bye")] == [{"reason": "restart"}]


def test_a_server_is_killed_and_back_and_nothing_is_lost_or_doubled(sarah, dispatching):
    with server() as (steady, _):
        kept = listening(steady, ticket(sub="steady"))
        heard: list[int] = []
        last = None
        for turn in range(3):
            with server() as (address, process):
                page = listening(address, ticket(sub="moving"), last=last)
                say(sarah, turn * 10 + 1, turn * 10 + 2)
                page.wait("celebration", 2 + (turn > 0))
                kill(process)
                page.ended.wait(5)
                heard += page.numbers()
                last = page.last
            say(sarah, turn * 10 + 3)
        page = Listener(steady, ticket(sub="moving"), last=last)
        page.wait("celebration")
        wanted = [turn * 10 + n for turn in range(3) for n in (1, 2, 3)]
        assert heard + page.numbers() == wanted
        kept.wait("celebration", 9)
        assert kept.numbers() == wanted


def test_of_two_dispatchers_one_leads_and_the_other_takes_over(sarah, stream, dispatching):
    page = listening(stream, ticket())
    say(sarah, 1)
    page.wait("celebration")
    with dispatcher():
        time.sleep(1)
        say(sarah, 2)
        page.wait("celebration", 2)
        kill(dispatching)
        for n in range(3, 30):
            say(sarah, n)
        page.wait("celebration", 29, seconds=15)
        assert page.numbers() == list(range(1, 30))
        assert page.last == max(Push.objects.values_list("place", flat=True))


def test_redis_is_flushed_and_nobody_notices(sarah, stream, dispatching):
    page = listening(stream, ticket())
    say(sarah, 1)
    page.wait("celebration")
    limits.client().flushall()
    say(sarah, 2)
    page.wait("celebration", 2)
    Listener(stream, ticket()).wait("hello")


def test_what_is_not_said_through_redis_is_read_from_the_database(sarah, stream, dispatching):
    page = listening(stream, ticket())
    for n in range(1, 21):
        if n in (5, 12):
            limits.client().client_kill_filter(_type="pubsub", skipme=True)
        say(sarah, n)
    page.wait("celebration", 20)
    assert page.numbers() == list(range(1, 21))


def test_the_database_cuts_everybody_off(sarah, stream, dispatching):
    page = listening(stream, ticket())
    say(sarah, 1)
    page.wait("celebration")
    with connection.cursor() as cursor:
        cursor.execute("select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name in ('dispatcher', 'stream')")
        assert cursor.fetchone()[0] >= 2
    say(sarah, 2)
    page.wait("celebration", 2)
    wait_until(lambda: Listener(stream, ticket()).status == 200)
    assert page.numbers() == [1, 2]


def test_redis_is_away_and_pages_hear_all_the_same(sarah, settings, tmp_path):
    with Guard() as guard:
        valkey = Valkey(guard=guard, folder=tmp_path / "valkey", log=tmp_path / "log", durable=False)
        valkey.start()
        settings.LIMITS_REDIS_URL = f"{valkey.url}/1"
        forget_redis()
        try:
            with dispatcher(REDIS_URL=valkey.url), server(REDIS_URL=valkey.url) as (address, _):
                page = listening(address, ticket())
                say(sarah, 1)
                page.wait("celebration")
                valkey.stop()
                say(sarah, 2, 3)
                page.wait("celebration", 3)
                assert requests.get(address, params={"ticket": "x"}, timeout=10).status_code == 503
                valkey.start()
                wait_until(lambda: Api(callers.token("sarah")).post(TICKETS, {}).status_code == 201)
                other = listening(address, ticket())
                say(sarah, 4)
                page.wait("celebration", 4)
                other.wait("celebration")
                assert page.numbers() == [1, 2, 3, 4]
        finally:
            forget_redis()


def forget_redis() -> None:
    limits.client.cache_clear()
    limits.script.cache_clear()
    limits._away_until = 0.0


def test_what_was_settled_before_it_had_its_place_is_said_to_nobody(sarah):
    """Seen elsewhere while nobody dispatched, it has its place and is no news; nor is it for a page that comes back."""
    with server() as (address, _):
        page = Listener(address, ticket())
        page.wait("hello")
        push_all([Said(supplier=sarah.pk, event="celebration", key="seen", data={"n": 1}, waits=True)], at=datetime.now(UTC))
        push_all([Said(supplier=sarah.pk, event="notification", key="gone", data={"n": 2})], at=datetime.now(UTC))
        settle(["seen", "gone"], at=datetime.now(UTC))
        with dispatcher():
            say(sarah, 3)
            page.wait("celebration")
            assert [heard.data for heard in page.of("celebration", "notification")] == [{"n": 3}]
            assert Push.objects.get(key="seen").place
            back = Listener(address, ticket(), last=0)
            back.wait("celebration")
            assert [heard.data for heard in back.of("celebration", "notification")] == [{"n": 3}]
