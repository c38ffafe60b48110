"""Limits: exact under concurrency, per caller, by the address nobody can claim; and what happens when Redis or the database is away."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from success import limits
from success.models import Activity
from tests import callers
from tests.callers import Api, is_problem
from tests.factories import SupplierFactory
from tests.server import free_port, running

SUPPLIER = "/api/v1/suppliers/sarah/"
TRACK = {"userId": "sarah", "event": "Signed In"}


@pytest.fixture
def sarah(db):
    return SupplierFactory(external_id="sarah")


@pytest.fixture
def redis_away(monkeypatch, settings):
    """A Redis that nobody answers for. What the process keeps of the real one comes back afterwards."""
    settings.LIMITS_REDIS_URL = f"redis://127.0.0.1:{free_port()}/1"
    yield forget_redis()
    forget_redis()


def forget_redis() -> None:
    limits.client.cache_clear()
    limits.script.cache_clear()
    limits._away_until = 0.0


# ---------------------------------------------------------------- the bucket


@pytest.mark.parametrize("rate", [0.01, 0.3, 1 / 7])
def test_32_threads_get_what_the_bucket_holds(rate):
    with ThreadPoolExecutor(32) as threads:
        verdicts = list(threads.map(lambda _: limits.hit(f"threads {rate}", rate, 10), range(320)))
    passed = [verdict for verdict in verdicts if verdict.allowed]
    assert len(passed) == 10
    assert sorted(verdict.remaining for verdict in passed) == list(range(10))
    assert all(verdict.retry_after > 0 for verdict in verdicts if not verdict.allowed)


def test_the_bucket_fills_at_its_rate():
    """50 a second, 5 at once: over a stretch of time no more than that pass, and nearly all of it does."""
    began, passed = time.monotonic(), 0
    while time.monotonic() - began < 0.5:
        passed += limits.hit("fills", 50, 5).allowed
    assert 24 <= passed <= 5 + 50 * (time.monotonic() - began) + 1


def test_buckets_do_not_touch_each_other():
    assert [limits.hit(bucket, 0.1, 1).allowed for bucket in ("a", "a", "b", "b")] == [True, False, True, False]


# ---------------------------------------------------------------- over the API


def test_each_caller_has_its_own_limit_and_is_told(sarah, settings):
    settings.RATE_LIMIT_KEY, settings.RATE_LIMIT_USER, settings.RATE_LIMIT_ANONYMOUS = [0.1, 3], [0.1, 2], [0.1, 1]
    for credential, burst, path in [
        (callers.key(), 3, SUPPLIER),
        (callers.key(), 3, "/api/v1/suppliers/"),
        (callers.token("sarah"), 2, f"{SUPPLIER}health/"),
        (callers.token("other"), 2, f"{SUPPLIER}health/"),
        (None, 1, "/api/schema/"),
    ]:
        answers = [Api(credential).get(path) for _ in range(burst + 1)]
        assert [answer.status_code == 429 for answer in answers] == [False] * burst + [True]
        assert [answer.headers["RateLimit-Remaining"] for answer in answers[:-1]] == [str(n) for n in reversed(range(burst))]
        assert {answer.headers["RateLimit-Limit"] for answer in answers} == {str(burst)}
        assert is_problem(answers[-1])
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 10
        assert int(answers[-1].headers["RateLimit-Reset"]) >= 1


def test_who_may_not_is_counted_too(sarah, settings):
    settings.RATE_LIMIT_KEY, settings.RATE_LIMIT_ANONYMOUS = [0.1, 2], [0.1, 2]
    ingest = Api(callers.key("ingest"))
    assert [ingest.get(SUPPLIER).status_code for _ in range(3)] == [403, 403, 429]
    assert [Api().get(SUPPLIER).status_code for _ in range(3)] == [401, 401, 429]


def test_failed_credentials_are_limited_by_address_and_good_ones_are_not(sarah, settings):
    settings.RATE_LIMIT_FAILED_CREDENTIALS = [0.1, 3]
    tries = [Api(f"cs_wrong{n}").get(SUPPLIER) for n in range(5)]
    assert [answer.status_code for answer in tries] == [401, 401, 401, 429, 429]
    assert int(tries[-1].headers["Retry-After"]) >= 1 and is_problem(tries[-1])
    assert Api(callers.key()).get(SUPPLIER).status_code == 200
    assert Api("cs_wrong").get(SUPPLIER, REMOTE_ADDR="203.0.113.9").status_code == 401


@pytest.mark.parametrize(
    ("proxies", "forwarded", "same"),
    [
        (0, "{n}", True),  # nobody of ours stands before us: what the header says is the client's own word
        (0, "{n}, 10.0.0.1", True),
        (1, "{n}, 203.0.113.7", True),  # the last is what our proxy saw
        (1, "{n}, {n}, 203.0.113.7", True),
        (1, "203.0.113.7, {n}", False),
        (1, "{n}", False),
        (2, "{n}, 203.0.113.7, 10.0.0.1", True),
        (2, "203.0.113.7, {n}, 10.0.0.1", False),
    ],
)
def test_a_claimed_address_does_not_count(db, settings, proxies, forwarded, same):
    settings.NUM_PROXIES, settings.RATE_LIMIT_ANONYMOUS, settings.RATE_LIMIT_FAILED_CREDENTIALS = proxies, [0.1, 2], [0.1, 2]
    for credential, path, first in [(None, "/api/schema/", 200), ("cs_wrong", SUPPLIER, 401)]:
        answers = [Api(credential).get(path, headers={"X-Forwarded-For": forwarded.format(n=f"198.51.100.{n}")}).status_code for n in range(4)]
        assert answers == ([first, first, 429, 429] if same else [first] * 4)


# ---------------------------------------------------------------- Redis away, the database away


def test_without_redis_requests_pass(sarah, redis_away):
    began = time.monotonic()
    answers = [Api(callers.key()).get(SUPPLIER) for _ in range(50)]
    assert {answer.status_code for answer in answers} == {200}
    assert Api("cs_wrong").get(SUPPLIER).status_code == 401
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(("pool", "calls"), [("0", 3), ("4", 1)])
def test_without_the_database_nothing_is_acknowledged(key, pool, calls):
    """503 with Retry-After, never a 2xx; what needs no database is still answered."""
    away = f"postgresql://nobody@127.0.0.1:{free_port()}/nothing"
    with running(DATABASE_URL=away, DB_POOL_SIZE=pool) as (base, _):
        for call in [
            lambda: requests.post(f"{base}/v1/track", json=TRACK, headers=callers.bearer(key), timeout=20),
            lambda: requests.post(f"{base}/v1/batch", json={"batch": [{"type": "track", **TRACK}]}, auth=(key, ""), timeout=20),
            lambda: requests.get(f"{base}{SUPPLIER}health/", headers=callers.bearer(callers.token("sarah")), timeout=20),
        ][:calls]:
            answer = call()
            assert (answer.status_code, is_problem(answer)) == (503, True)
            assert int(answer.headers["Retry-After"]) >= 1
            assert "postgres" not in answer.text and "127.0.0.1" not in answer.text
        assert requests.get(f"{base}/livez", timeout=20).status_code == 200
        assert requests.post(f"{base}/v1/track", json=TRACK, timeout=20).status_code == 401
    assert not Activity.objects.exists()
