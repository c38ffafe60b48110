"""The playground's own doors: only the demo's suppliers are played, by credentials that open no more than a product's page needs."""

from datetime import datetime, timedelta
from email.message import EmailMessage

import jwt
import pytest
from django.test import Client

from config.local.mailbox import reader
from config.local.mailbox.letters import Letter
from config.local.playground import credentials, seen
from success import clock
from success.models import ApiKey, Supplier
from tests.callers import Api, bearer
from tests.factories import ContactFactory, SourceFactory, SupplierFactory
from tests.hostile import ORDERS

HOUR = timedelta(hours=1)


@pytest.fixture
def sarah(db) -> Supplier:
    """Of the demo; beside her one of a real product."""
    demo, real = SourceFactory(is_demo=True), SourceFactory()
    found = SupplierFactory(external_id="sarah", source=demo, custom={"company": "Whitmore Photography"})
    ContactFactory(supplier=found, name="Sarah Whitmore", email="sarah@example.org")
    other = SupplierFactory(external_id="real-1", source=real)
    ContactFactory(supplier=other, name="Rosa Real", email="rosa@example.org")
    return found


def test_a_real_supplier_is_not_played(client, sarah):
    assert client.post("/playground/token/", {"supplier": "real-1"}).status_code == 404
    assert client.get("/playground/look/real-1/").status_code == 404
    assert client.get("/playground/people/?q=Rosa").json() == {"results": []}
    for nobody in ("", "nobody", "sarah\0"):
        assert client.post("/playground/token/", {"supplier": nobody}).status_code == 404


def test_her_token_opens_what_is_hers_for_some_minutes(client, sarah):
    token = client.post("/playground/token/", {"supplier": "sarah"}).json()["token"]
    assert Api(token).get("/api/v1/suppliers/me/health/").json()["supplier"] == "sarah"
    assert Api(token).get("/api/v1/suppliers/real-1/health/").status_code == 404
    ends = jwt.decode(token, options={"verify_signature": False})["exp"]
    assert 0 < ends - clock.real().timestamp() <= credentials.GOOD_FOR.total_seconds()


def test_the_pages_key_only_sends(client, sarah):
    assert client.get("/playground/").status_code == client.get("/playground/clients/import/?as=nobody").status_code == 200
    key = credentials.write_key()
    assert ApiKey.objects.get(name="playground").source.is_demo  # it goes with the demo
    assert Api(key).post("/v1/track", {"userId": "sarah", "event": "Signed In"}).status_code == 200
    assert Api(key).get("/api/v1/suppliers/sarah/health/").status_code == 403
    assert client.get("/playground/look/sarah/", headers=bearer(key)).json()["system"]["events"][0]["name"] == "Signed In"


@pytest.mark.parametrize("path", ["token", "later", "reset"])
def test_no_other_site_presses_its_buttons(sarah, path):
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(f"/playground/{path}/", {"supplier": "sarah"}).status_code == 403
    assert strict.get(f"/playground/{path}/").status_code == 405


def test_people_are_found_by_name_and_company_sarah_first(sarah):
    for n, name in enumerate(["Aaron Trial", "Sarah Other"]):
        other = SupplierFactory(
            external_id=f"demo-{n}",
            source=sarah.source,
            status="trial",
            created_at=clock.now() - 9 * HOUR + n * HOUR,
            custom={"company": ORDERS[0] if n else ""},
        )
        ContactFactory(supplier=other, name=name)
    assert [one["id"] for one in seen.find("")] == ["sarah", "demo-1", "demo-0"]
    assert [one["id"] for one in seen.find("sarah")] == ["sarah", "demo-1"]
    assert [one["id"] for one in seen.find("whitmore ph")] == ["sarah"]
    assert seen.find("nobody of that name") == []


def test_what_is_seen_is_in_order_and_in_words(client, sarah):
    key = credentials.write_key()
    batch = [
        {"type": "track", "userId": "sarah", "event": "Clients Imported"},
        *({"type": "track", "userId": "sarah", "event": "Client Active", "properties": {"client_id": f"c{n}"}} for n in range(3)),
    ]
    assert Api(key).post("/v1/batch", {"batch": batch}).json()["accepted"] == 4
    found = client.get("/playground/look/sarah/").json()
    assert [one["name"] for one in found["system"]["events"]] == ["Client Active"] * 3 + ["Clients Imported"]
    assert {one["id"] for one in found["account"]["clients"]} == {"c0", "c1", "c2"} and found["account"]["counts"]["Client Active"] == 3
    assert found["system"]["page"] == f"/admin/suppliers/{sarah.pk}/" and found["days_ahead"] == 0
    assert datetime.fromisoformat(found["now"]) - clock.now() < HOUR


# ---------------------------------------------------------------- a letter's links


def letter_to(address: str) -> Letter:
    message = EmailMessage()
    message["X-Envelope-To"] = address
    return Letter("1", message)


def test_a_letters_links_open_as_whom_it_was_written_to(sarah, settings):
    settings.BASE_URL, settings.PRODUCT_URL = "http://127.0.0.1:8000", "http://127.0.0.1:8000/playground/clients/import/"
    words = f'<a href="{settings.PRODUCT_URL}">Bring in my clients</a>'
    assert reader.hers(words, letter_to("Sarah@example.org")) == words.replace("import/", "import/?as=sarah")
    assert reader.hers(words, letter_to("rosa@example.org")) == words  # nobody of the demo
    ContactFactory(supplier=SupplierFactory(source=sarah.source), email="sarah@example.org")
    assert reader.hers(words, letter_to("sarah@example.org")) == words  # whose it is cannot be known
    settings.PRODUCT_URL = "https://app.example.com/"
    assert "as=" not in reader.hers(settings.PRODUCT_URL, letter_to("sarah@example.org"))
