"""Who gets what: every route of the URL configuration x every caller x every verb. A route without a row here fails."""

import inspect
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from django.test import Client as Browser
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.converters import get_converters
from drf_spectacular.generators import SchemaGenerator

from milestones.models import Grant, Reward
from success import activity, clients, clock
from success.api.callers import ProductUser
from success.api.views import Strict, UnroutedView, View
from success.models import Segment
from tests import callers
from tests.callers import Api, is_problem
from tests.factories import SourceFactory, StaffFactory, SupplierFactory

VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
TRACK = {"userId": "own", "event": "Signed In"}


@dataclass(frozen=True)
class Row:
    """A route: a path to try it by, what each of its verbs answers, and the scopes that each takes (none: anybody)."""

    path: str
    answers: dict[str, int]
    scopes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    body: object = None
    headers: dict[str, str] = field(default_factory=dict)
    limited: bool = True
    other_verbs: int = 405


ROWS = {
    "batch": Row("/v1/batch", {"POST": 200}, {"POST": ("ingest",)}, {"batch": [{"type": "track", **TRACK}]}),
    "track": Row("/v1/track", {"POST": 200}, {"POST": ("ingest",)}, TRACK),
    "identify": Row("/v1/identify", {"POST": 200}, {"POST": ("ingest",)}, {"userId": "own"}),
    "page": Row("/v1/page", {"POST": 200}, {"POST": ("ingest",)}, {"userId": "own", "name": "/clients"}),
    "screen": Row("/v1/screen", {"POST": 200}, {"POST": ("ingest",)}, {"userId": "own", "name": "/clients"}),
    "group": Row("/v1/group", {"POST": 200}, {"POST": ("ingest",)}, {"groupId": "own"}),
    "suppliers": Row("/api/v1/suppliers/", {"GET": 200}, {"GET": ("read",)}),
    "supplier": Row("/api/v1/suppliers/own/", {"GET": 200, "PATCH": 200}, {"GET": ("read",), "PATCH": ("write",)}, {"plan": "basic"}),
    "clients": Row("/api/v1/suppliers/own/clients/", {"PUT": 200}, {"PUT": ("write",)}, {"clients": [{"client_id": "c1"}]}),
    "client": Row("/api/v1/suppliers/own/clients/c1/", {"DELETE": 204}, {"DELETE": ("write",)}),
    "segments": Row("/api/v1/segments/", {"GET": 200}, {"GET": ("read",)}),
    "segment-suppliers": Row("/api/v1/segments/quiet/suppliers/", {"GET": 200}, {"GET": ("read",)}),
    "health": Row("/api/v1/suppliers/own/health/", {"GET": 200}, {"GET": ("read", "own")}),
    "health-history": Row("/api/v1/suppliers/own/health/history/", {"GET": 200}, {"GET": ("read", "own")}),
    "health-summary": Row("/api/v1/health/summary/", {"GET": 200}, {"GET": ("read",)}),
    "milestones": Row("/api/v1/suppliers/own/milestones/", {"GET": 200}, {"GET": ("read", "own")}),
    "milestone-seen": Row("/api/v1/suppliers/own/milestones/first_form/seen/", {"POST": 200}, {"POST": ("own",)}, {}),
    "rewards": Row("/api/v1/suppliers/own/rewards/", {"GET": 200}, {"GET": ("own",)}),
    "reward-redeem": Row(f"/api/v1/suppliers/own/rewards/{uuid.UUID(int=1)}/redeem/", {"POST": 200}, {"POST": ("own",)}, {}),
    "reward-confirm": Row(f"/api/v1/suppliers/own/rewards/{uuid.UUID(int=2)}/confirm/", {"POST": 200}, {"POST": ("write",)}, {"done": True}),
    "interventions": Row(
        "/api/v1/suppliers/own/interventions/",
        {"GET": 200, "POST": 200},
        {"GET": ("read",), "POST": ("write",)},
        {"playbook": "first_weeks_quiet"},
        headers={"Idempotency-Key": "1"},
    ),
    "decisions": Row("/api/v1/suppliers/own/decisions/", {"GET": 200}, {"GET": ("read",)}),
    "booking": Row("/book/no-token/", {"GET": 404}),
    "notifications": Row("/api/v1/suppliers/own/notifications/", {"GET": 200}, {"GET": ("read", "own")}),
    "notification-read": Row("/api/v1/suppliers/own/notifications/1/read/", {"POST": 404}, {"POST": ("own",)}, {}),
    "pushes": Row("/api/v1/suppliers/own/pushes/", {"GET": 200}, {"GET": ("read", "own")}),
    "stream-tickets": Row("/api/v1/stream-tickets/", {"POST": 201}, {"POST": ("own",)}, {"supplier": "own"}),
    "preferences": Row("/api/v1/suppliers/own/preferences/", {"GET": 200, "PUT": 200}, {"GET": ("own",), "PUT": ("own",)}, {"channels": {"email": False}}),
    "unsubscribe": Row("/unsubscribe/no-token/", {"GET": 404, "POST": 404}),  # tests/test_preferences.py has good ones
    "preferences-page": Row("/preferences/no-token/", {"GET": 404, "POST": 404}),
    "schema": Row("/api/schema/", {"GET": 200}),
    "docs": Row("/api/docs/", {"GET": 200}),
    "unrouted": Row("/api/v1/nothing", {}, other_verbs=404),
    "home": Row("/", {}, limited=False, other_verbs=302),
    "livez": Row("/livez", {"GET": 200}, limited=False),
    "readyz": Row("/readyz", {"GET": 503}, limited=False),  # nothing ticks in a test
    "mailbox": Row("/mailbox/", {"GET": 200}, limited=False),
    "letter": Row("/mailbox/none/", {"GET": 404}, limited=False),
    "letter_html": Row("/mailbox/none/html/", {"GET": 404}, limited=False),
    "playground": Row("/playground/", {"GET": 200}, limited=False),  # tests/test_playground.py has its doors
    "playground_place": Row("/playground/clients/import/", {"GET": 200}, limited=False),
    "playground_token": Row("/playground/token/", {"POST": 404}, limited=False),
    "playground_people": Row("/playground/people/", {"GET": 200}, limited=False),
    "playground_look": Row("/playground/look/own/", {"GET": 404}, limited=False),  # not of the demo
    "playground_later": Row("/playground/later/", {"POST": 404}, limited=False),  # with DEBUG off
    "playground_reset": Row("/playground/reset/", {"POST": 404}, limited=False),
    "metrics": Row("/metrics", {"GET": 200}, limited=False),  # to this machine itself; tests/test_operations.py has the others
}
# A caller: how it comes by its credential, and the scopes it stands for; None for who is nobody to us.
CALLERS = {
    "anonymous": (lambda: None, None),
    "bad key": (lambda: "cs_nosuchkey", None),
    "expired key": (callers.expired_key, None),
    "revoked key": (callers.revoked_key, None),
    "key to ingest": (lambda: callers.key("ingest"), {"ingest"}),
    "key to read": (lambda: callers.key("read"), {"read"}),
    "key to write": (lambda: callers.key("write"), {"write", "own"}),
    "key to administer": (lambda: callers.key("admin"), set()),
    "key for all": (callers.key, {"ingest", "read", "write", "own"}),
    "own token": (lambda: callers.token("own"), {"own"}),
    "other supplier's token": (lambda: callers.token("other"), {"own"}),
    "expired token": (lambda: callers.expired_token("own"), None),
    "token for another audience": (lambda: callers.token("own", aud="another"), None),
    "token without an audience": (lambda: callers.token("own", aud=None), None),
    "token signed by another": (lambda: callers.token("own", secret="another secret that is long enough for it"), None),
    "unsigned token": (lambda: callers.unsigned_token("own"), None),
    "token with its signature stripped": (lambda: callers.stripped_token("own"), None),
    "token of another algorithm": (lambda: callers.relabelled_token("own"), None),
    "manager": (lambda: None, None),
}


def expected(row: Row, caller: str, verb: str) -> int:
    scopes = CALLERS[caller][1]
    method = "GET" if verb == "HEAD" else verb
    status = row.answers.get(method, row.other_verbs)
    if not row.scopes:
        return status
    if scopes is None:
        return 401
    if method not in row.answers:
        return 405
    if not scopes & set(row.scopes[method]):
        return 403
    return 404 if caller == "other supplier's token" else status


# ---------------------------------------------------------------- the routes there are


def patterns(resolver: URLResolver, prefix: str = "", namespace: str = "") -> Iterator[tuple[str, str, URLPattern]]:
    for one in resolver.url_patterns:
        route = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from patterns(one, route, one.namespace or namespace)
        else:
            yield namespace, route, one


ROUTES = list(patterns(get_resolver()))
PLAIN = {pattern.name: (route, pattern) for namespace, route, pattern in ROUTES if namespace not in ("admin", "console")}  # those: test_admin, test_console
API = {name: pattern for name, (route, pattern) in PLAIN.items() if route.startswith(("api/", "v1/", "webhooks/", "^(?:api"))}


def view_of(pattern: URLPattern) -> type[View]:
    return getattr(pattern.callback, "cls", None) or getattr(pattern.callback, "view_class", None)


@pytest.fixture(autouse=True)
def _roomy(settings):
    """Limits are another test's."""
    for name in ("KEY", "USER", "ANONYMOUS", "FAILED_CREDENTIALS"):
        setattr(settings, f"RATE_LIMIT_{name}", [1000, 100_000])
    settings.JWT_SECRET = "a secret long enough for every algorithm that there is, HS512 too"


@pytest.fixture
def world(db):
    own = SupplierFactory(external_id="own")
    SupplierFactory(external_id="other")
    Segment.objects.create(key="quiet", name="Quiet", condition={"fact": "days_quiet", "is": "at_least", "value": 5})
    sent = [{"type": "track", **TRACK}, {"type": "track", "userId": "own", "event": "Form Created"}]
    activity.take([json.dumps(one).encode() for one in sent], kind=None, source=SourceFactory(), received_at=clock.now())
    for n, (kind, state) in enumerate([("credit", "granted"), ("trial_extension", "pending")], start=1):
        reward = Reward.objects.create(key=f"a-{kind}", name=kind, kind=kind)
        Grant.objects.create(public_id=uuid.UUID(int=n), reward=reward, supplier=own, value=1, state=state, at=clock.now())
    return own


# ---------------------------------------------------------------- the table


def test_every_route_has_a_row():
    assert None not in PLAIN, "a route without a name"
    assert set(PLAIN) == set(ROWS)
    for name, row in ROWS.items():
        assert get_resolver().resolve(row.path).url_name == name


def test_every_verb_of_a_view_is_in_its_row():
    for name, pattern in API.items():
        if view_of(pattern) is UnroutedView:
            continue
        verbs = {verb for verb in VERBS if verb not in ("HEAD", "OPTIONS") and hasattr(view_of(pattern), verb.lower())}
        assert verbs == set(ROWS[name].answers), name
        assert set(view_of(pattern).scopes) == set(ROWS[name].scopes), name


@pytest.mark.parametrize("name", ROWS)
def test_the_table(name, world):
    row = ROWS[name]
    wrong = []
    for caller, (credential, _) in CALLERS.items():
        api = Api(credential())
        if caller == "manager":
            api.client.force_login(StaffFactory(is_superuser=True))
        for verb in VERBS:
            if verb == "DELETE":
                clients.put(supplier_id=world.pk, clients={"c1": None}, at=clock.now())
            answer = api(verb, row.path, row.body if verb in row.answers else None, headers=row.headers)
            if answer.status_code != expected(row, caller, verb):
                wrong.append((caller, verb, answer.status_code, expected(row, caller, verb)))
            elif name in API and answer.status_code >= 400 and verb != "HEAD" and not is_problem(answer):
                wrong.append((caller, verb, answer.headers["Content-Type"], answer.content))
            elif row.limited and answer.status_code != 401 and not {"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"} <= set(answer.headers):
                wrong.append((caller, verb, "no limit"))
            elif answer.status_code == 401 and "WWW-Authenticate" not in answer.headers:
                wrong.append((caller, verb, "no WWW-Authenticate"))
    assert not wrong


def test_the_size_of_the_table(capsys):
    pages = sum(namespace == "admin" for namespace, _, _ in ROUTES)
    with capsys.disabled():
        print(f"\n{len(ROWS)} routes x {len(CALLERS)} callers x {len(VERBS)} verbs = {len(ROWS) * len(CALLERS) * len(VERBS)}, and {pages} routes of the admin")
    assert len(ROWS) * len(CALLERS) * len(VERBS) > 2000


# ---------------------------------------------------------------- what is declared


@pytest.fixture(scope="module")
def schema():
    return SchemaGenerator().get_schema(request=None, public=True)


def operations(schema) -> Iterator[tuple[str, str, dict]]:
    for path, verbs in schema["paths"].items():
        for verb, operation in verbs.items():
            yield get_resolver().resolve(path.replace("{", "").replace("}", "")).url_name, verb.upper(), operation


@pytest.mark.parametrize("name", API)
def test_every_view_declares_what_it_takes(name, schema):
    view = view_of(API[name])
    assert issubclass(view, View)
    assert issubclass(view.query_serializer, Strict)
    if name in ("schema", "docs", "unrouted"):
        return
    described = {verb: operation for route, verb, operation in operations(schema) if route == name}
    assert set(described) == set(ROWS[name].answers)
    for verb, operation in described.items():
        declared = {(one["in"], one["name"]) for one in operation.get("parameters", [])}
        path = {("path", word) for word in API[name].pattern.converters}
        assert declared - {("header", word) for word in ROWS[name].headers} == path | {("query", word) for word in view.query_serializer().fields}
        assert ("requestBody" in operation) == (verb in ("POST", "PUT", "PATCH"))
        for content in operation.get("requestBody", {}).get("content", {}).values():
            assert content["schema"].get("$ref"), "a body without a serializer"
        assert all(content["schema"] for content in operation["responses"]["default"]["content"].values())


def test_every_path_is_declared():
    for name, (_, pattern) in PLAIN.items():
        assert all(type(converter) in map(type, get_converters().values()) for converter in pattern.pattern.converters.values()), name
        takes = inspect.signature(pattern.callback).parameters
        assert takes, name


@pytest.mark.parametrize("name", [name for name in API if name != "unrouted"])
def test_an_unknown_parameter_is_refused(name, world):
    row = ROWS[name]
    for verb in row.answers:
        answer = Api(callers.key())(verb, f"{row.path}?nosuch=1", row.body, headers=row.headers)
        assert (answer.status_code, is_problem(answer)) == (422, True), verb


# ---------------------------------------------------------------- one's own only


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if "/own/" in row.path and any("own" in scopes for scopes in row.scopes.values())])
def test_someone_elses_is_byte_for_byte_as_one_that_does_not_exist(name, world):
    api, row = Api(callers.token("own")), ROWS[name]
    verb = "GET" if "GET" in row.answers else "POST"
    answers = []
    for whose in ("other", "nobody", "x" * 200, "own%00", "%ED%A0%80"):
        answer = api(verb, row.path.replace("/own/", f"/{whose}/"), row.body)
        answers.append((answer.status_code, answer.content, {key: value for key, value in answer.headers.items() if not key.startswith("RateLimit")}))
    assert [status for status, _, _ in answers] == [404] * 5
    assert all(answer == answers[0] for answer in answers)
    assert api(verb, row.path.replace("/own/", "/me/"), row.body).content.replace(b'"me"', b'"own"')
    assert Api(callers.key())(verb, row.path.replace("/own/", "/me/"), row.body).status_code == 404


def test_me_is_the_supplier_of_the_token(world):
    answer = Api(callers.token("own")).get("/api/v1/suppliers/me/health/")
    assert (answer.status_code, answer.json()["supplier"]) == (200, "own")
    assert Api(callers.token(None, sub="own")).get("/api/v1/suppliers/me/health/").status_code == 401
    by_subject = callers.claims("own")
    by_subject = {name: value for name, value in by_subject.items() if name != "supplier"} | {"sub": "own"}
    encoded = callers.jwt.encode(by_subject, callers.settings.JWT_SECRET, algorithm="HS256")
    assert Api(encoded).get("/api/v1/suppliers/me/health/").json()["supplier"] == "own"
    assert ProductUser("own").may("own")


@pytest.mark.parametrize("supplier", ["", "x" * 129, "a\0b", "\ud800", 5, None, ["own"], {"a": 1}, True])
def test_a_token_with_no_usable_supplier_is_none(supplier, world):
    assert Api(callers.token(supplier)).get("/api/v1/suppliers/me/health/").status_code == 401


# ---------------------------------------------------------------- the admin's pages


def test_the_admin_asks_everybody_but_staff_to_sign_in(world):
    credentials = [callers.key(), callers.token("own")]
    open_to_all = {"admin/login/", "admin/jsi18n/", "admin/logout/"}
    browsers = [Browser(raise_request_exception=False) for _ in range(2)]
    browsers[1].force_login(StaffFactory(is_staff=False))
    for _, route, pattern in (one for one in ROUTES if one[0] == "admin"):
        path = "/" + route.replace("<path:object_id>", "1").replace("<int:content_type_id>", "1").replace("<id>", "1").replace("<str:", "<")
        if route in open_to_all:
            continue
        path = "/admin/nothing" if "(?P" in path else path
        for browser, headers in [(browsers[0], {}), (browsers[1], {}), *((browsers[0], callers.bearer(one)) for one in credentials)]:
            for verb in ("GET", "POST"):
                answer = browser.generic(verb, path, headers=headers)
                assert answer.status_code in (302, 403, 404, 405), (verb, path, pattern.name, answer.status_code)
                if answer.status_code == 302:
                    assert answer["Location"].startswith("/admin/login/"), path
