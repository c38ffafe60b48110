"""What the edge refuses, how it says so, and that it then has written nothing and sent nothing back."""

import base64
import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.db import connection

from success import clock, keys, suppliers, tokens
from success.models import ApiKey, Erased
from tests import callers
from tests.callers import Api, is_problem
from tests.factories import StaffFactory, SupplierFactory

MARK = "zq7mark"  # planted in every body: it must not come back
BATCH, TRACK, CLIENTS, SUPPLIER = "/v1/batch", "/v1/track", "/api/v1/suppliers/sarah/clients/", "/api/v1/suppliers/sarah/"
VERB = {BATCH: "POST", TRACK: "POST", CLIENTS: "PUT", SUPPLIER: "PATCH"}
GOOD = {
    BATCH: {"batch": [{"type": "track", "userId": "new", "event": MARK}]},
    TRACK: {"userId": "new", "event": MARK},
    CLIENTS: {"clients": [{"client_id": MARK}]},
    SUPPLIER: {"plan": MARK},
}


def nested(levels: int) -> bytes:
    return b'{"userId": "zq7mark", "properties": ' + b"[" * (levels - 1) + b"]" * (levels - 1) + b"}"


def spliced(path: str, json_value: bytes) -> bytes:
    """The good body of a path with one of its values replaced, as bytes."""
    return json.dumps(GOOD[path]).encode().replace(b'"zq7mark"', json_value)


BODIES = {  # of every route that takes one
    "not UTF-8": (lambda path: spliced(path, b'"zq7mark\xff"'), 400),
    "UTF-16": (lambda path: json.dumps(GOOD[path]).encode("utf-16-le"), 400),
    "a byte order mark": (lambda path: b"\xef\xbb\xbf" + json.dumps(GOOD[path]).encode(), 400),
    "nothing": (lambda path: b" ", 400),
    "cut short": (lambda path: json.dumps(GOOD[path]).encode()[:-1], 400),
    "something after": (lambda path: json.dumps(GOOD[path]).encode() + b"zq7mark", 400),
    "NaN": (lambda path: spliced(path, b"NaN"), 400),
    "Infinity": (lambda path: spliced(path, b"Infinity"), 400),
    "minus Infinity": (lambda path: spliced(path, b"-Infinity"), 400),
    "33 levels": (lambda path: nested(33), 400),
    "100,000 brackets": (lambda path: b"[" * 100_000, 400),
    "100,000 braces": (lambda path: b'{"a":' * 80_000, 400),
    "too large": (lambda path: b'{"zq7mark": "' + b"x" * 512 * 1024 + b'"}', 413),
    "a list": (lambda path: b'["zq7mark"]', 422),
    "text": (lambda path: b'"zq7mark"', 422),
    "null": (lambda path: b"null", 422),
}


@pytest.fixture
def api(db):
    SupplierFactory(external_id="sarah")
    return Api(callers.key())


def counts() -> dict[str, int]:
    """Rows of every table of ours."""
    with connection.cursor() as cursor:
        cursor.execute("select tablename from pg_tables where schemaname = 'public' and (tablename like 'success\\_%%' or tablename like 'health\\_%%')")
        tables = [name for (name,) in cursor.fetchall()]
        content = "select '{0}', count(*), md5(coalesce(string_agg(t::text, '|' order by t::text), '')) from {0} t"
        cursor.execute(" union all ".join(content.format(name) for name in tables if name != "success_apikey"))  # a key tells when it was used last
        return {name: (n, digest) for name, n, digest in cursor.fetchall()}


@pytest.fixture
def unchanged(api):
    before = counts()
    yield
    assert counts() == before


def refused(answer, status: int) -> dict:
    assert (answer.status_code, is_problem(answer)) == (status, True), answer.content
    assert MARK.encode() not in answer.content
    assert MARK not in str(dict(answer.headers))
    return json.loads(answer.content)


# ---------------------------------------------------------------- bodies


@pytest.mark.parametrize("path", VERB)
@pytest.mark.parametrize("kind", BODIES)
def test_a_bad_body(api, unchanged, path, kind):
    make, status = BODIES[kind]
    refused(api(VERB[path], path, make(path)), status)
    zipped = gzip.compress(make(path))
    if kind != "nothing":
        refused(api(VERB[path], path, zipped, headers={"Content-Encoding": "gzip"}), status)


@pytest.mark.parametrize("path", VERB)
def test_bad_gzip(api, unchanged, path):
    good = gzip.compress(json.dumps(GOOD[path]).encode())
    for broken in (b"zq7mark", good[:-5], good[: len(good) // 2], good + b"zq7mark", b"\x1f\x8b", good[:-8] + b"00000000"):
        refused(api(VERB[path], path, broken, headers={"Content-Encoding": "gzip"}), 400)
    bomb = gzip.compress(b"[" + b" " * 50_000_000 + b"]")
    assert len(bomb) < 100_000
    refused(api(VERB[path], path, bomb, headers={"Content-Encoding": "gzip"}), 413)


@pytest.mark.parametrize("path", VERB)
def test_a_good_body_is_taken(api, path):
    assert api(VERB[path], path, GOOD[path]).status_code == 200
    assert api(VERB[path], path, gzip.compress(json.dumps(GOOD[path]).encode()), headers={"Content-Encoding": "GZip"}).status_code == 200
    deep = json.dumps(GOOD[path]).encode()
    assert api(VERB[path], path, deep + b" " * (512 * 1024 - len(deep))).status_code == 200


def test_32_levels_are_taken(api):
    body = b'{"userId": "new", "event": "e", "properties": {"x": ' + b"[" * 30 + b"]" * 30 + b"}}"
    assert api("POST", TRACK, body).status_code == 200
    assert api("POST", TRACK, body.replace(b"[]", b"[[]]")).status_code == 400
    assert api("POST", TRACK, {"userId": "new", "event": '[[[["{{{{' * 20}).status_code == 200


@pytest.mark.parametrize("path", VERB)
@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "zq7mark"])
def test_another_encoding(api, unchanged, path, encoding):
    refused(api(VERB[path], path, GOOD[path], headers={"Content-Encoding": encoding}), 415)


@pytest.mark.parametrize("path", VERB)
@pytest.mark.parametrize("kind", ["", "text/html", "application/x-www-form-urlencoded", "multipart/form-data; boundary=zq7mark", "application/zq7mark"])
def test_another_content_type(api, unchanged, path, kind):
    refused(api(VERB[path], path, json.dumps(GOOD[path]).encode(), content_type=kind), 415)


def test_segments_routes_take_plain_text_and_a_charset(api):
    for kind in ("text/plain", "text/plain;charset=UTF-8", "application/json; charset=utf-8"):
        assert api("POST", TRACK, GOOD[TRACK], content_type=kind).status_code == 200
    assert api("PUT", CLIENTS, GOOD[CLIENTS], content_type="text/plain").status_code == 415


def test_more_than_a_thousand(api, unchanged):
    refused(api("POST", BATCH, {"batch": [{}] * 1001}), 413)
    refused(api("PUT", CLIENTS, {"clients": [{}] * 1001}), 413)


# ---------------------------------------------------------------- values

UNFIT = {
    "NUL": b'"zq7mark\\u0000"',
    "a lone surrogate": b'"zq7mark\\ud800"',
    "a surrogate the wrong way round": b'"\\udc00\\ud800zq7mark"',
    "1e999": b"1e999",
    "-1e999": b"-1e999",
    "2^63": b"9223372036854775808",
    "2^64": b"18446744073709551616",
    "400 digits": b"9" * 400,
    "true": b"true",
    "a list": b'["zq7mark"]',
    "an object": b'{"zq7mark": 1}',
    "too long": b'"' + b"zq7mark" * 200 + b'"',
}


@pytest.mark.parametrize("value", UNFIT)
def test_an_unfit_value(api, unchanged, value):
    refused(api("POST", TRACK, spliced(TRACK, UNFIT[value])), 422)
    problem = refused(api("PATCH", SUPPLIER, spliced(SUPPLIER, UNFIT[value])), 422)
    assert problem["errors"]


@pytest.mark.parametrize("value", UNFIT)
def test_an_unfit_value_is_refused_alone(api, value):
    body = b'{"batch": [%s, {"type": "track", "userId": "new", "event": "e"}]}' % spliced(TRACK, UNFIT[value]).replace(b"{", b'{"type": "track", ', 1)
    answer = api("POST", BATCH, body)
    if answer.status_code == 200:
        told = answer.json()
        assert (told["accepted"], [one["index"] for one in told["refused"]]) == (1, [0])
    else:
        assert answer.status_code == 422
    assert MARK.encode() not in answer.content
    answer = api("PUT", CLIENTS, b'{"clients": [{"client_id": %s}, {"client_id": "good"}]}' % UNFIT[value])
    if answer.status_code == 200:
        told = answer.json()
        assert (told["added"], [one["index"] for one in told["refused"]]) == (1, [0])
    else:
        assert (answer.status_code, value) in [(422, "a lone surrogate"), (422, "a surrogate the wrong way round"), (422, "1e999"), (422, "-1e999")]
    assert MARK.encode() not in answer.content


PATCHES = [
    ({MARK: 1}, ""),
    ({"unknown": 1}, "/unknown"),
    ({"plan": 5}, "/plan"),
    ({"plan": None}, "/plan"),
    ({"plan": "x" * 81}, "/plan"),
    ({"status": MARK}, "/status"),
    ({"status": 1}, "/status"),
    ({"status": None}, "/status"),
    ({"mrr": "12"}, "/mrr"),
    ({"mrr": "NaN"}, "/mrr"),
    ({"mrr": True}, "/mrr"),
    ({"mrr": -1}, "/mrr"),
    ({"mrr": 2**63}, "/mrr"),
    ({"mrr": 10**400}, "/mrr"),
    ({"currency": "eur"}, "/currency"),
    ({"currency": "EURO"}, "/currency"),
    ({"owner": MARK}, "/owner"),
    ({"trial_ends_at": "2026-11-01T10:00:00"}, "/trial_ends_at"),
    ({"trial_ends_at": "1999-12-31T23:59:59Z"}, "/trial_ends_at"),
    ({"trial_ends_at": 5}, "/trial_ends_at"),
    ({"trial_ends_at": MARK}, "/trial_ends_at"),
    ({"trial_ends_at": "9999-12-31T23:59:59-23:59"}, "/trial_ends_at"),
    ({"id": "another"}, "/id"),
    ({"internal": True}, "/internal"),
]


@pytest.mark.parametrize(("body", "pointer"), PATCHES, ids=str)
def test_a_change_that_cannot_be(api, unchanged, body, pointer):
    problem = refused(api("PATCH", SUPPLIER, body), 422) if MARK not in body else json.loads(api("PATCH", SUPPLIER, body).content)
    assert pointer in [error["pointer"] for error in problem["errors"]] or pointer == ""


def test_an_unknown_name_is_only_pointed_at_where_it_is_a_name(api, unchanged):
    for name in ("sarah@example.com", "<script>", "a b", "x" * 41, ""):
        problem = refused(api("PATCH", SUPPLIER, {name: 1}), 422)
        assert problem["errors"] == [{"pointer": "", "detail": "Is not a field of this."}]
    answer = api.get("/api/v1/suppliers/?sarah@example.com=1")
    assert (answer.status_code, b"sarah@" in answer.content) == (422, False)


QUERIES = [
    "level=zq7mark", "level=", "stage=zq7mark", "limit=0", "limit=1001", "limit=zq7mark", "nosuch=zq7mark",
    "cursor=-1", "cursor=9223372036854775808", "cursor=1e999", "cursor=" + "9" * 400,
    "owner=", "owner=%00", "owner=" + "x" * 151, "plan=" + "x" * 81, "changed_after=zq7mark", "changed_after=2026-11-01T10:00:00",
    "changed_after=1999-01-01T00:00:00Z", "changed_after=0001-01-01T00:00:00%2B10:00",
]  # fmt: skip


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_that_cannot_be(api, query):
    refused(api.get(f"/api/v1/suppliers/?{query}"), 422)


@pytest.mark.parametrize("query", ["time_range=14d", "time_range=", "time_range=30D", "include_breakdown=zq7mark", "window=30d"])
def test_another_time_range(api, query):
    refused(api.get(f"/api/v1/suppliers/sarah/health/?{query}"), 422)


# ---------------------------------------------------------------- who, where, how


def test_one_body_for_every_bad_credential(api):
    answers = [
        Api(credential)(verb, path, GOOD.get(path))
        for credential in (None, "cs_zq7mark", "zq7mark", "a.b.c", "é", callers.expired_key(), callers.revoked_key(), callers.expired_token("sarah"))
        for verb, path in [("POST", TRACK), ("GET", SUPPLIER), ("PATCH", SUPPLIER)]
    ]
    headers = ("Basic", "Basic zq7mark", "Basic w6k6", "Digest x", "Bearer", "Bearer  ")
    answers += [Api().post(TRACK, GOOD[TRACK], headers={"Authorization": header}) for header in headers]
    assert {refused(answer, 401)["detail"] for answer in answers} and len({answer.content for answer in answers}) == 1
    assert all(answer.headers["WWW-Authenticate"].startswith("Bearer") for answer in answers)


def test_segments_routes_alone_take_a_key_by_basic(api):
    header = {"Authorization": "Basic " + base64.b64encode(f"{callers.key()}:".encode()).decode()}
    assert Api().post(TRACK, GOOD[TRACK], headers=header).status_code == 200
    refused(Api().get(SUPPLIER, headers=header), 401)


def test_a_manager_signed_in_has_no_access(api):
    manager = Api()
    manager.client.force_login(StaffFactory(is_superuser=True))
    refused(manager.get(SUPPLIER), 401)


def test_an_answer_nobody_can_give(api):
    for path in ("/api/v1/suppliers/", "/api/v1/suppliers/sarah/health/", "/api/schema/"):
        refused(api.get(path, headers={"Accept": "application/zq7mark"}), 406)
    refused(api.post(TRACK, GOOD[TRACK], headers={"Accept": "text/zq7mark"}), 406)


def test_unrouted_paths_are_problems(api):
    for path in ("/api/zq7mark", "/api/", "/api", "/v1", "/v1/alias", "/v1/batch/", "/webhooks/stripe/", "/api/v1/suppliers", "/api/v1/suppliers/a/b/c/d/"):
        refused(api.get(path), 404)
    refused(api("TRACE", SUPPLIER), 405)
    assert Api().get("/nothing").headers["Content-Type"] == "text/plain"


def test_a_host_that_is_not_ours(api, settings):
    settings.ALLOWED_HOSTS = ["ours.example"]
    refused(api.get(SUPPLIER, headers={"Host": "zq7mark.example"}), 400)


def test_a_fault_of_ours_is_a_problem_that_says_nothing(api):
    with connection.cursor() as cursor:
        cursor.execute("alter table success_supplier rename column plan to plan_zq7mark")
    answer = api.get("/api/v1/suppliers/sarah/")
    assert answer.status_code == 500
    assert is_problem(answer)
    assert MARK.encode() not in answer.content and b"column" not in answer.content


def test_a_token_cannot_choose_its_algorithm(db, settings):
    """With RS256, the public key is no secret: a token signed with it by HS256 is none."""
    secret = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(secret.public_key())) | {"kid": "k1", "use": "sig", "alg": "RS256"}

    class KeySet(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"keys": [public]}).encode())

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), KeySet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        settings.JWT_ALGORITHM, settings.JWT_JWKS_URL = "RS256", f"http://127.0.0.1:{server.server_port}/"
        claims = callers.claims("sarah")
        assert tokens.holder_of(jwt.encode(claims, secret, algorithm="RS256", headers={"kid": "k1"})).supplier == "sarah"
        for forged in (
            jwt.encode(claims, json.dumps(public) + "x" * 32, algorithm="HS256", headers={"kid": "k1"}),
            jwt.encode(claims, settings.JWT_SECRET, algorithm="HS256", headers={"kid": "k1"}),
            jwt.encode(claims, None, algorithm="none", headers={"kid": "k1"}),
            jwt.encode(claims, secret, algorithm="PS256", headers={"kid": "k1"}),
            jwt.encode(claims, rsa.generate_private_key(public_exponent=65537, key_size=2048), algorithm="RS256", headers={"kid": "k1"}),
            jwt.encode(claims, secret, algorithm="RS256", headers={"kid": "k2"}),
        ):
            with pytest.raises(tokens.NotValid):
                tokens.holder_of(forged)
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("token", ["", ".", "..", "a.b", "e30.e30.", "bnVsbA.e30.x", "W10.W10.x", "eyJhbGciOltdfQ.e30.x", "x" * 100_000, "é", "\0", "=.=.="])
def test_what_is_no_token_at_all(token):
    with pytest.raises(tokens.NotValid):
        tokens.holder_of(token)


def test_a_revoked_key_closes_within_a_second(api):
    text = callers.key("read")
    assert Api(text).get(SUPPLIER).status_code == 200
    ApiKey.objects.filter(digest=keys.digest_of(text)).update(revoked_at=clock.now())  # by another process: this one still remembers
    assert keys.FRESH_FOR <= 1
    keys.forget()
    assert Api(text).get(SUPPLIER).status_code == 401


def test_the_erased_are_refused_one_by_one(api):
    Erased.objects.create(digest=suppliers.digest_of("gone"), erased_at=clock.now())
    items = [{"type": "track", "userId": who, "event": "e", "messageId": who} for who in ("gone", "new")]
    told = api.post(BATCH, {"batch": items}).json()
    assert (told["accepted"], [(one["index"], one["messageId"]) for one in told["refused"]]) == (1, [(0, "gone")])
    refused(api.post(TRACK, items[0]), 422)
    refused(api("PUT", "/api/v1/suppliers/gone/clients/", GOOD[CLIENTS]), 422)
