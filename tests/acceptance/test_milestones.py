"""Milestones: reached in the transaction of the activity, how far she is, and what it brings her."""

import statistics
import time

import pytest
import requests
from django.db import connection

from milestones import achievements
from milestones.models import Achievement, Milestone, Reward
from success import clock
from success.models import Event
from tests.acceptance.test_health import send
from tests.streams import close_all, dispatcher, listening, server


@pytest.fixture
def credit(committed):
    """The first form brings a credit."""
    first = Milestone.objects.filter(key="first_form")
    first.update(reward=Reward.objects.create(key="a-credit", name="A credit", kind="credit", value=10, unit="EUR"))
    yield
    first.update(reward=None)


def ask(web, key, path, verb="get"):
    answer = requests.request(
        verb, f"{web}/api/v1/suppliers/sarah/{path}/", headers={"Authorization": f"Bearer {key}"}, json={} if verb == "post" else None, timeout=10
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.line("M1", "M2")
def test_five_clients_and_a_form(web, key):
    send(web, key, [("Form Created", 0, {}), *(("Client Active", 0, {"client_id": f"c{n}"}) for n in range(5))])
    found = ask(web, key, "milestones")
    assert {"first_client", "first_form"} <= {one["key"] for one in found["achieved"]}
    far = {one["key"]: (one["current"], one["target"], one["state"]) for one in found["progress"]}
    assert far["client_list"] == (5, 25, "open")
    assert found["next"]["state"] in ("next", "behind")


@pytest.mark.line("M3")
def test_the_achievement_is_there_when_the_activity_is(web, key, figure):
    times, bearer = [], {"Authorization": f"Bearer {key}"}
    for n in range(20):
        began = time.perf_counter()
        answer = requests.post(f"{web}/v1/track", headers=bearer, json={"userId": f"s{n}", "event": "Form Created"}, timeout=10)
        times.append(time.perf_counter() - began)
        assert answer.status_code == 200, answer.text
        assert Achievement.objects.filter(supplier__external_id=f"s{n}", milestone__key="first_form").exists()
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from milestones_achievement a join success_activity b on b.message = a.message and b.received_at = a.known_at")
        assert cursor.fetchone()[0] == Achievement.objects.count() >= 20, "an achievement does not say which activity made it true"
    figure(f"event sent over HTTP, committed, reached and answered: median {statistics.median(times) * 1000:.0f} ms")


@pytest.mark.line("M4")
def test_the_celebration_is_on_the_open_page_at_once(web, key, figure):
    """Activity over HTTP; the page holds a stream open. Nothing of a worker or of the beat runs."""
    bearer = {"Authorization": f"Bearer {key}"}
    times = []
    with dispatcher(), server() as (address, _):
        for n in range(20):
            asked = requests.post(f"{web}/api/v1/stream-tickets/", headers=bearer, json={"supplier": f"s{n}"}, timeout=10)
            assert asked.status_code == 201, asked.text
            page = listening(address, asked.json()["ticket"])
            body = {"userId": f"s{n}", "event": "Form Created"}
            answer = requests.post(f"{web}/v1/track", headers=bearer, json=body, timeout=10)
            answered = time.time()
            assert answer.status_code == 200, answer.text
            [told] = page.wait("celebration", seconds=5)
            assert told.data["key"] == "first_form"
            assert told.data["title"] and told.data["text"]
            times.append(max(0.0, told.at - answered))
            page.close()
    close_all()
    assert statistics.median(times) < 1
    figure(f"on the open page after the answer to the event: median {statistics.median(times) * 1000:.0f} ms, worst {max(times) * 1000:.0f} ms")


@pytest.mark.line("M5")
def test_a_reward_once_and_redeemed_once(web, key, credit):
    send(web, key, [("Form Created", 0, {})])
    achievements.announce(at=clock.now())
    achievements.announce(at=clock.now())
    [given] = ask(web, key, "rewards")["results"]
    assert (given["state"], given["value"], given["milestone"]) == ("granted", 10, "first_form")
    first, again = (ask(web, key, f"rewards/{given['id']}/redeem", "post") for _ in range(2))
    assert first["state"] == "redeemed" and first == again
    assert Event.objects.filter(name="milestones.reward_granted").count() == 1
