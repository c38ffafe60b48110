"""Security: what comes in is declared, who asks is known, how often is bounded, and people stay private."""

import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest
import requests
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from success.models import Activity, Supplier
from tests.factories import SupplierFactory
from tests.server import ROOT, database_url


def token(supplier, **claims):
    return jwt.encode({"sub": supplier, "aud": settings.JWT_AUDIENCE, "exp": int(time.time()) + 60} | claims, settings.JWT_SECRET, "HS256")


def get(web, path, credential=None):
    return requests.get(f"{web}{path}", headers={"Authorization": f"Bearer {credential}"} if credential else {}, timeout=10)


@pytest.mark.line("S1")
def test_input_is_refused_with_its_place_and_nothing_written(web, key, figure):
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    bodies = [
        b"{",
        b"\xff",
        b'{"userId": NaN}',
        b"[" * 100_000,
        b'{"userId":"a","event":"\\u0000"}',
        b'{"userId":5,"event":"x"}',
        b'{"userId":"a","event":"x","timestamp":"yesterday"}',
    ]
    statuses = [requests.post(f"{web}/v1/track", data=body, headers=headers, timeout=10) for body in bodies]
    assert [answer.status_code for answer in statuses] == [400, 400, 400, 400, 422, 422, 422]
    assert {answer.headers["Content-Type"] for answer in statuses} == {"application/problem+json"}
    assert not Activity.objects.exists()
    assert not Supplier.objects.exists()
    figure(f"{len(bodies)} hostile bodies refused, 0 rows written")


@pytest.mark.line("S2")
def test_only_ones_own_data(web, key):
    for name in ("sarah", "other"):
        SupplierFactory(external_id=name)
    assert get(web, "/api/v1/suppliers/sarah/health/").status_code == 401
    assert get(web, "/api/v1/suppliers/me/health/", token("sarah")).json()["supplier"] == "sarah"
    others, nobodys = get(web, "/api/v1/suppliers/other/health/", token("sarah")), get(web, "/api/v1/suppliers/nobody/health/", token("sarah"))
    assert (others.status_code, others.content) == (404, nobodys.content)
    assert get(web, "/api/v1/suppliers/", token("sarah")).status_code == 403
    assert get(web, "/api/v1/suppliers/me/health/", token("sarah", exp=1)).status_code == 401
    assert get(web, "/api/v1/suppliers/me/health/", token("sarah", aud="else")).status_code == 401


@pytest.mark.line("S3")
def test_a_flood_is_told_to_wait(web, key, figure):
    SupplierFactory(external_id="sarah")
    credential = token("sarah")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: get(web, "/api/v1/suppliers/me/health/", credential), range(250)))
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert all(int(answer.headers["Retry-After"]) >= 1 for answer in refused)
    assert {answer.status_code for answer in answers} == {200, 429}
    figure(f"{len(answers) - len(refused)} of {len(answers)} passed, the rest told to wait")


@pytest.mark.line("S4")
def test_personal_data_is_in_one_place_and_goes_on_request(web, key, figure):
    planted = {"name": "Wilhelmina Featherstonehaugh", "email": "wilhelmina@example.com"}
    body = {"batch": [
        {"type": "identify", "userId": "sarah", "traits": {**planted, "nickname": "Featherstonehaugh"}},
        {"type": "track", "userId": "sarah", "event": "Form Created", "properties": {"page": "wilhelmina@example.com", "couple": "Featherstonehaugh"}},
    ]}  # fmt: skip
    assert requests.post(f"{web}/v1/batch", json=body, auth=(key, ""), timeout=10).json()["accepted"] == 2
    dump = subprocess.run([*pg_dump(), "--data-only", database_url()], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    holding = [line for line in dump.splitlines() if "Featherstonehaugh" in line or "wilhelmina@" in line]
    assert len(holding) == 1, holding
    call_command("erase_supplier", "sarah", "--yes")
    dump = subprocess.run([*pg_dump(), "--data-only", database_url()], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert "Featherstonehaugh" not in dump
    assert "wilhelmina@" not in dump
    again = requests.post(f"{web}/v1/batch", json=body, auth=(key, ""), timeout=10).json()
    assert again["accepted"] == 0
    figure("1 row held the name; 0 lines of a dump after erasure; sent again: refused")


def pg_dump() -> list[str]:
    """The server's own dump program."""
    with connection.cursor() as cursor:
        cursor.execute("select setting from pg_config() where name = 'BINDIR'")
        return [f"{cursor.fetchone()[0]}/pg_dump"]
