"""What arrives with each key: seen at once, without a word of anybody's, and never in the way of taking it in."""

import contextlib
import json
import socket
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from success import arrivals, clock, keys, limits, privacy, roles
from success.models import Activity, ApiKey, Colleague, Supplier
from tests.callers import bearer
from tests.factories import SourceFactory, StaffFactory, SupplierFactory
from tests.test_limits import forget_redis

PAGE = "/admin/arriving/"


@pytest.fixture
def product(db, client):
    """A key that may send, and what sends with it."""

    def send(*messages, path="/v1/batch", body=None, **extra):
        body = json.dumps({"batch": messages}).encode() if body is None else body
        return client.generic("POST", path, body, content_type="application/json", headers=bearer(send.secret), **extra)

    send.key, send.secret = keys.create(source=SourceFactory(name="product"), name="product", scopes=["ingest"])
    return send


def track(user, event="Signed In", **more):
    return {"type": "track", "userId": user, "event": event, **more}


def told(key: ApiKey) -> list[tuple[str, str]]:
    return [(line.what, line.outcome) for line in arrivals.latest(key.pk)]


def staff(client, role):
    user = StaffFactory()
    user.groups.add(Group.objects.get(name=role))
    client.force_login(user)
    return user


# ---------------------------------------------------------------- what is told


def test_each_item_is_told_newest_first(product):
    product(track("sarah", messageId="1"), track("sarah", "Form Created", messageId="1"), {"type": "identify", "userId": "sarah", "traits": {"name": "Sarah"}})
    product(track("sarah", messageId="1"), {"type": "page", "userId": "ben", "name": "/clients"}, track("ben", timestamp="yesterday"))
    assert told(product.key) == [
        ("Signed In", "refused"), ("page", "accepted"), ("Signed In", "duplicate"), ("identify", "accepted"), ("Form Created", "duplicate"),
        ("Signed In", "accepted"),
    ]  # fmt: skip
    first = arrivals.latest(product.key.pk)[0]
    assert first.reason == "/timestamp: Must be a time as in 2026-11-01T10:00:00Z."
    assert first.supplier == Supplier.objects.get(external_id="ben").pk
    assert abs(first.at - clock.now()) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("path", "body", "reason"),
    [
        ("/v1/batch", b"{", "The body is not JSON."),
        ("/v1/batch", b"[]", "Expected `object`, got `array`"),
        ("/v1/batch", b'{"batch": [' + b",".join([b"1"] * 1001) + b"]}", "A batch has at most 1000 messages."),
        ("/v1/batch", b'{"batch": "' + b"x" * 600_000 + b'"}', "The body is too large."),
        ("/v1/track", b"\xff", "The body is not UTF-8."),
        ("/v1/track?nosuch=1", b"{}", "/nosuch: Is not a field of this."),
        ("/v1/track", b'{"userId": "sarah"}', "/event: Is required."),
    ],
)
def test_a_refused_request_is_one_line_with_the_reason(product, path, body, reason):
    assert product(path=path, body=body).status_code in (400, 413, 422)
    assert [(line.outcome, line.reason) for line in arrivals.latest(product.key.pk)] == [("refused", reason)]


def test_a_key_without_the_scope_says_so(product):
    product.key, product.secret = keys.create(source=product.key.source, name="reader", scopes=["read"])
    assert product(track("sarah")).status_code == 403
    assert [line.reason for line in arrivals.latest(product.key.pk)] == ["This key may not send: its scopes do not include ingest."]


def test_no_more_than_the_last_200_are_kept(product):
    product(*[track(f"s{n}", f"event {n}") for n in range(300)])
    product(track("last"))
    found = told(product.key)
    assert (len(found), found[0], found[1], found[-1]) == (200, ("Signed In", "accepted"), ("event 299", "accepted"), ("event 101", "accepted"))
    assert 0 < limits.client().ttl(f"arrivals:{product.key.pk}") <= arrivals.KEPT_FOR.total_seconds()


HIDDEN = ["ana@example.com", "Ana Novak", "+4917155", "secret-page", "ana-novak-7", "x" * 201]


def test_no_word_of_anybodys_is_kept(product):
    product(
        track("ana@example.com", "Invited ana@example.com", properties={"page": "secret-page"}),
        {"type": "identify", "userId": "ana-novak-7", "traits": {"name": "Ana Novak", "phone": "+4917155", "status": "Ana Novak"}},
        track("ana-novak-7", "x" * 201),
        track("ana-novak-7", "Signed In", timestamp="Ana Novak"),
        {"type": "Ana Novak", "userId": "ana-novak-7"},
        {"type": "track", "userId": {"Ana Novak": 1}, "event": "Signed In"},
        track("me", "Signed In"),
    )
    held = b"".join(limits.client().lrange(f"arrivals:{product.key.pk}", 0, -1)).decode()
    assert [word for word in HIDDEN if word in held] == []
    assert "Invited [address]" in held and held.count("refused") == 6


def test_what_another_release_wrote_is_passed_over(product):
    product(track("sarah"))
    limits.client().lpush(f"arrivals:{product.key.pk}", b'[1.5,"Signed In",7]', b"{")
    assert told(product.key) == [("Signed In", "accepted")]
    arrivals.forget(7)


# ---------------------------------------------------------------- never in the way


@pytest.fixture
def away(settings):
    """Makes a Redis that is away, or takes a call and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:

        def go(*, hangs: bool):
            settings.LIMITS_REDIS_URL = f"redis://127.0.0.1:{silent.getsockname()[1] if hangs else 1}/1"
            forget_redis()
            return silent

        yield go
    forget_redis()


@pytest.mark.parametrize("hangs", [False, True])
def test_with_redis_away_everything_is_taken_at_once(product, away, hangs):
    """Each call that is not answered is a wait of a quarter of a second: one finds out, and for a second the others do not ask."""
    silent = away(hangs=hangs)
    for n in range(12):
        assert product(track("sarah", messageId=str(n))).json()["accepted"] == 1
    silent.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        calls = [silent.accept()[0].close() for _ in range(12)]
        assert not calls, "every request asked"
    assert Activity.objects.count() == 12


def test_with_redis_away_the_page_says_so(product, client, away):
    staff(client, roles.LEAD)
    away(hangs=False)
    assert "Redis does not answer" in client.get(PAGE).text


# ---------------------------------------------------------------- the erased


def test_of_the_erased_no_line_is_left(product, django_capture_on_commit_callbacks):
    product(track("sarah"), track("ben"), track("sarah", timestamp="x"))
    sarah = Supplier.objects.get(external_id="sarah").pk
    with django_capture_on_commit_callbacks(execute=True):
        privacy.erase("sarah", at=clock.now(), opaque="erased-1")
    product(track("sarah"), track("sarah", timestamp="x"))
    lines = arrivals.latest(product.key.pk)
    assert [(line.supplier == sarah, line.outcome) for line in lines] == [(False, "refused"), (False, "refused"), (False, "accepted")]
    assert {line.supplier for line in lines} == {None, Supplier.objects.get(external_id="ben").pk}
    assert "sarah" not in str(limits.client().lrange(f"arrivals:{product.key.pk}", 0, -1))


# ---------------------------------------------------------------- the page


def test_the_page_shows_filters_and_counts(product, client):
    product(track("sarah", messageId="1"), track("sarah", messageId="1"), track("sarah", timestamp="x"))
    staff(client, roles.LEAD)
    page = client.get(PAGE).text
    sarah = Supplier.objects.get(external_id="sarah")
    for words in (
        "All 3",
        "Accepted 1",
        "Duplicate 1",
        "Refused 1",
        "/timestamp: Must be a time",
        reverse("console:supplier", args=[sarah.pk]),
        "scopes ingest",
    ):
        assert words in page
    refused = client.get(f"{PAGE}?outcome=refused&fragment").text
    assert "Must be a time" in refused and "its messageId was there before" not in refused and "<html" not in refused
    assert client.get(f"{PAGE}?outcome=nonsense&key=nonsense").status_code == 200


def test_each_key_has_its_own_list(product, client):
    product(track("sarah", "By the first"))
    other, product.secret = keys.create(source=product.key.source, name="other", scopes=["ingest"])
    product(track("sarah", "By the other"))
    staff(client, roles.LEAD)
    assert "By the other" in client.get(f"{PAGE}?key={other.pk}").text
    page = client.get(f"{PAGE}?key={product.key.pk}").text
    assert "By the first" in page and "By the other" not in page


def test_the_empty_page_says_how_to_send(client, db):
    staff(client, roles.ADMINISTRATOR)
    assert "Make a key and send the first event" in client.get(PAGE).text
    keys.create(source=SourceFactory(), name="product", scopes=["ingest"])
    assert "/v1/track" in client.get(PAGE).text


def test_an_id_that_is_an_address_stays_hidden(product, client):
    product(track("ana@example.com"))
    staff(client, roles.LEAD)
    page = client.get(PAGE).text
    assert "[address]" in page and "ana@example.com" not in page


def test_who_keeps_to_her_own_book_sees_her_suppliers_items_only(product, client):
    lead = staff(client, roles.LEAD)
    SupplierFactory(external_id="mine", owner=lead)
    Colleague.objects.create(user=lead, own_book_only=True)
    product(track("mine", "Of mine"), track("hers", "Of hers"), track("nobody", "Of nobody", timestamp="x"))
    page = client.get(PAGE).text
    assert "Of mine" in page and "All 1" in page
    assert "Of hers" not in page and "Of nobody" not in page and "hers" not in page


def test_managers_have_no_such_page(client, db):
    staff(client, roles.MANAGER)
    assert client.get(PAGE).status_code == 403


def test_a_hostile_event_stays_words(product, client):
    product(track("<b>x</b>", "<img src=x onerror=alert(1)>"))
    staff(client, roles.LEAD)
    assert "<img src=x" not in client.get(PAGE).text
