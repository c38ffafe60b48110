"""The OpenAPI description: true to what the API does, under a storm of generated requests, good and bad."""

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks

from config.wsgi import application
from tests import callers
from tests.factories import SupplierFactory

EXAMPLES = 20  # requests for each operation and kind
BEYOND_A_SCHEMA = checks.positive_data_acceptance  # no NUL, not before 2000, an owner there is: a schema cannot say so
REJECTION = checks.negative_data_rejection  # of bodies as a whole; elsewhere items are refused one by one, or it takes a header we send for a query
JUDGED_AS_ONE = ("/v1/track", "/v1/identify", "/v1/page", "/v1/screen", "/v1/group", "/api/v1/suppliers/{id}/")
OPERATIONS = [
    (path, verb.upper())
    for path, verbs in SchemaGenerator().get_schema(request=None, public=True)["paths"].items()
    for verb in verbs
]  # fmt: skip


@pytest.fixture
def described(db, settings):
    """The description as it is served. As with Django's own test client, a request does not close the connection whose transaction it shares."""
    for name in ("KEY", "ANONYMOUS", "FAILED_CREDENTIALS"):
        setattr(settings, f"RATE_LIMIT_{name}", [1000, 100_000])
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield schemathesis.openapi.from_wsgi("/api/schema/", application)
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def test_the_description_has_no_warnings():
    with GENERATOR_STATS.silence():
        GENERATOR_STATS.reset()
        SchemaGenerator().get_schema(request=None, public=True)
        assert not GENERATOR_STATS


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["fitting", "unfit"])
@pytest.mark.parametrize(("path", "verb"), OPERATIONS)
def test_the_storm(described, path, verb, mode):
    SupplierFactory(external_id="0")
    headers, not_ours = callers.bearer(callers.key()), [BEYOND_A_SCHEMA, *([] if path in JUDGED_AS_ONE and verb != "GET" else [REJECTION])]
    operation = described[path][verb]

    @seed(142)
    @settings(max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate, Phase.shrink], suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def storm(case: schemathesis.Case) -> None:
        answer = case.call_and_validate(headers=headers, excluded_checks=not_ours)
        assert answer.status_code < 400 or answer.headers["content-type"] == ["application/problem+json"]

    storm()
