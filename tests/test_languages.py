"""Dates and numbers as each colleague is used to."""

from datetime import UTC, datetime

import pytest
import time_machine
from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation

from config.console import charts
from config.console.templatetags.words import amount, day, moment
from success import clock, roles, work
from success.models import Colleague, Supplier
from tests.places import of_book, places
from tests.worlds import person, populate, run_the_house

AT = datetime(2026, 3, 9, 22, 5, tzinfo=UTC)
WRITTEN = {  # a day of this year, one of another, a moment, an amount
    "en-gb": ("9 Mar", "9 Mar 2024", "9 Mar, 22:05", "1,234"),
    "en-us": ("Mar 9", "Mar 9, 2024", "Mar 9, 22:05", "1,234"),
    "nl": ("9 mrt", "9 mrt 2024", "9 mrt, 22:05", "1.234"),
    "de": ("9. Mär", "9. Mär 2024", "9. Mär, 22:05", "1.234"),
    "es": ("9 mar", "9 mar 2024", "9 mar, 22:05", "1\xa0234"),
    "fr": ("9 mar", "9 mar 2024", "9 mar, 22:05", "1\xa0234"),
    "it": ("9 mar", "9 mar 2024", "9 mar, 22:05", "1.234"),
    "pt": ("9 mar", "9 mar 2024", "9 mar, 22:05", "1.234"),
}


@pytest.mark.parametrize("language", WRITTEN)
def test_how_a_language_writes(language):
    with time_machine.travel(AT, tick=False), translation.override(language), timezone.override("UTC"):
        assert (day(AT), day(AT.replace(year=2024)), moment(AT), amount(1234.0)) == WRITTEN[language]
        assert WRITTEN[language][0] in charts.history([(AT.date(), 50.0)], first=AT.date(), last=AT.date(), label="Score")


def test_each_language_that_can_be_chosen_is_looked_at():
    assert set(WRITTEN) == set(dict(settings.LANGUAGES))


@pytest.fixture
def book(db, client):
    anna = person("anna", roles.ADMINISTRATOR, first_name="Anna")
    client.force_login(anna)
    return populate(owner=anna, suppliers=12)


def choose(client, language):
    return client.post(reverse("console:me"), {"first_name": "Anna", "timezone": "Europe/Berlin", "language": language}, follow=True).text


def test_a_colleague_chooses(client, book):
    supplier = book[3]
    Supplier.objects.filter(pk=supplier.pk).update(mrr=12345.0, renews_at=datetime(2031, 3, 9, 12, tzinfo=UTC))
    work.snooze(supplier=supplier.pk, until=datetime(2031, 5, 8, 22, tzinfo=UTC), reason="on holiday", by=supplier.owner, at=clock.now())
    work.plan(supplier=supplier.pk, title="Call", due_on=datetime(2031, 5, 9, tzinfo=UTC).date(), assignee=supplier.owner, by=supplier.owner, at=clock.now())
    url = reverse("console:supplier", args=[supplier.pk])
    assert "Select a valid choice" in choose(client, "tlh")
    for language, words in {
        "en-gb": ("12,345", "9 Mar 2031", "Snoozed until 9 May 2031", "Task planned for 9 May 2031"),
        "de": ("12.345", "9. Mär 2031", "Snoozed until 9. Mai 2031", "Task planned for 9. Mai 2031"),
    }.items():
        assert "Saved." in choose(client, language)
        page, plain = client.get(url).text, client.get(reverse("admin:success_supplier_changelist")).text
        assert [word for word in words if word not in page] == []
        assert f'<html lang="{language}"' in page and '<div lang="en"' in page and f'<html lang="{language}"' in plain
        assert words[0] in plain
    assert "Sichern" in client.get(reverse("admin:success_supplier_change", args=[supplier.pk])).text
    client.logout()
    assert '<html lang="en-gb"' in client.get(reverse("admin:login")).text


@pytest.mark.parametrize("language", ["de", "en-us"])
def test_what_is_sent_from_a_page_is_understood_in_any_language(client, book, language):
    """Browsers send days as 2031-03-09, whatever they show."""
    choose(client, language)
    for action, fields in {"task": {"title": "Call", "due_on": "2031-03-09", "assignee": book[0].owner.pk}, "note": {"text": "hello"}}.items():
        answer = client.post(reverse("console:act", args=[book[0].pk, action]), fields)
        assert answer.status_code == 302, answer.text
    assert book[0].tasks.filter(due_on="2031-03-09").exists()


def test_no_number_of_a_picture_is_written_in_a_language(client, book):
    """`12,5` would be no place in an SVG, and no value of a field."""
    run_the_house(boss=book[0].owner)
    Colleague.objects.update_or_create(user=book[0].owner, defaults={"language": "de"})
    for place in places(of_book(book)):
        answer = client.get(place.path)
        if answer.status_code == 200 and not answer.streaming:
            for part in answer.text.split("<")[1:]:
                tag = part.partition(">")[0]
                for name in ("width", "height", "cx", "cy", "x", "y"):
                    assert f'{name}="' not in tag or "," not in tag.partition(f' {name}="')[2].partition('"')[0], (place.path, tag)


def test_the_interface_for_programs_speaks_no_language(client, book):
    choose(client, "de")
    assert client.get("/v1/track").json()["detail"] == "Authentication credentials were not provided."
