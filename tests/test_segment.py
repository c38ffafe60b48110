"""The product's own libraries, pointed at us; and the path from an event to a score."""

import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import quote

import pytest
import requests
import rudderstack.analytics as rudder
import segment.analytics as segment

from health.assessments import assess_touched
from health.models import Assessment
from success import clock
from success.models import Activity, Contact, Facts, Supplier
from tests.factories import StaffFactory


def health(web: str, key: str, supplier: str = "sarah") -> dict:
    answer = requests.get(f"{web}/api/v1/suppliers/{supplier}/health/?include_breakdown=true", headers={"Authorization": f"Bearer {key}"}, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()


def tell(client: object) -> None:
    """Two weeks of Sarah: signed in, imported five clients, made one form."""
    now = datetime.now(UTC)
    client.identify(
        "sarah", {"email": "sarah@example.com", "name": "Sarah Hughes", "createdAt": (now - timedelta(days=14)).isoformat(), "vertical": "photographer"}
    )
    client.track("sarah", "Signed In", timestamp=now - timedelta(days=1))
    client.track("sarah", "Clients Imported", {"count": 5})
    for number in range(5):
        client.track("sarah", "Client Active", {"client_id": f"c{number}"}, timestamp=now - timedelta(days=1))
    client.track("sarah", "Form Created")
    client.page("sarah", "docs", "/clients")
    client.flush()
    client.join()


def test_the_segment_library_fills_the_score(web, key):
    tell(segment.Client(key, host=web, sync_mode=False, on_error=fail))
    assert health(web, key)["score"] == 30 + 12.5 + 25
    assert Contact.objects.get().name == "Sarah Hughes"
    assert list(Supplier.objects.values_list("external_id", "vertical")) == [("sarah", "photographer")]


def test_the_rudderstack_library_fills_the_score(web, key):
    tell(rudder.Client(key, host=web, sync_mode=False, on_error=fail))
    assert health(web, key)["score"] == 30 + 12.5 + 25
    assert Facts.objects.get().clients_active == 5


def fail(error: Exception, batch: object) -> None:
    raise error


def test_from_a_curl_to_the_list(web, key):
    answer = requests.post(f"{web}/v1/track", auth=(key, ""), json={"userId": "sarah", "event": "Signed In", "messageId": "m1"}, timeout=10)
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert Activity.objects.count() == 1
    first = health(web, key)
    assert (first["score"], first["level"], first["stage"]) == (30.0, "critical", "new")
    assert [part["points"] for part in first["parts"]] == [30.0, 0, 0, 0, 0]
    assert assess_touched(at=clock.now()).told == 1
    assert Assessment.objects.get().level == "critical"
    listed = requests.get(f"{web}/api/v1/suppliers/?level=critical", headers={"Authorization": f"Bearer {key}"}, timeout=10).json()
    assert [one["id"] for one in listed["results"]] == ["sarah"]


@pytest.mark.parametrize("name", ["a/b", "/a", "a/", "a//b", "a/health/b", "a b?c#d%2F", "é\n/"])
def test_an_id_may_hold_a_slash(web, key, name):
    """As a server hands it on: with its slashes as they are, whether they were encoded or not."""
    headers, address = {"Authorization": f"Bearer {key}"}, f"{web}/api/v1/suppliers/{quote(name, safe='')}"
    requests.post(f"{web}/v1/track", auth=(key, ""), json={"userId": name, "event": "Signed In"}, timeout=10)
    assert requests.get(f"{address}/", headers=headers, timeout=10).json()["id"] == name
    assert health(web, key, quote(name, safe=""))["supplier"] == name
    assert requests.get(f"{address}/health/history/", headers=headers, timeout=10).json()["results"] == []
    sent = {"clients": [{"client_id": name}]}
    assert requests.put(f"{address}/clients/", headers=headers, json=sent, timeout=10).json()["added"] == 1
    assert requests.delete(f"{address}/clients/{quote(name, safe='')}/", headers=headers, timeout=10).status_code == 204


# ---------------------------------------------------------------- the lines of the page "Start"


def lines_of(client, base_url: str, language: str, settings) -> str:
    """The lines as the page shows them, with a key just made on it."""
    settings.BASE_URL = base_url
    client.force_login(StaffFactory(is_superuser=True))
    shown = [unescape(block) for block in re.findall(r"<pre[^>]*>(.*?)</pre>", client.post("/admin/start/").text, re.S)]
    return next(block for block in shown if language in block)


@pytest.mark.parametrize(("command", "sign"), [(["bash", "-c"], "curl"), ([sys.executable, "-c"], "segment.analytics")])
def test_the_lines_of_the_start_work_word_for_word(web, client, settings, command, sign):
    done = subprocess.run([*command, lines_of(client, web, sign, settings)], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "rror" in done.stderr) == (0, False), done.stderr
    assert Supplier.objects.get().external_id == "my-first-customer"
    assert Activity.objects.get().event.name == "Signed In"
    page = client.get("/admin/start/").text
    assert "Arrived:" in page and "last used" in page
