"""The stream, with real processes: ticket, server, dispatcher, page."""

from datetime import UTC, datetime

import pytest

from success.models import Push
from success.stream.pushes import Said, push_all
from tests import callers
from tests.callers import Api
from tests.factories import SupplierFactory
from tests.streams import Listener, dispatcher, server


def ticket(name: str = "sarah", **claims) -> str:
    answer = Api(callers.token(name, **claims)).post("/api/v1/stream-tickets/", {})
    assert answer.status_code == 201, answer.content
    return answer.json()["ticket"]


def say(supplier, n: int, **more) -> None:
    push_all([Said(supplier=supplier.pk, event="celebration", key=f"k{n}", data={"n": n}, **more)], at=datetime.now(UTC))


@pytest.fixture
def sarah(committed):
    return SupplierFactory(external_id="sarah")


@pytest.mark.parametrize("_", [1])
def test_a_page_hears_what_is_said(sarah, _):
    with dispatcher(), server() as (address, _):
        page = Listener(address, ticket())
        assert page.answer.status_code == 200
        assert page.answer.headers["Content-Type"] == "text/event-stream"
        page.wait("hello")
        say(sarah, 1)
        (heard,) = page.wait("celebration")
        assert heard.data == {"n": 1}
        assert heard.id == Push.objects.get().place
