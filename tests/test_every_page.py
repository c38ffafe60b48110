"""What holds on every page of the console, whichever there are: few queries, each role its own pages, and nobody's suppliers but one's own."""

import re

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from success import roles
from success.models import Colleague, Supplier
from tests.places import Place, of_book, places
from tests.worlds import person, populate, run_the_house, tear_down

MOST_QUERIES = 30


@pytest.fixture(scope="module")
def house(django_db_setup, django_db_blocker):
    """Sixty suppliers of Maya's, and the whole house around them; in a transaction of the module's own."""
    from django.db import transaction

    with django_db_blocker.unblock(), transaction.atomic():
        maya, boss = person("maya", roles.MANAGER), person("boss", roles.ADMINISTRATOR)
        book = populate(owner=maya, suppliers=60)
        run_the_house(boss=boss)
        yield book, boss
        transaction.set_rollback(True)


def signed_in(user):
    browser = Browser(raise_request_exception=True)
    browser.force_login(user)
    return browser


def test_no_page_asks_the_database_much(house):
    book, boss = house
    browser, found = signed_in(boss), {}
    for place in places(of_book(book)):
        browser.get(place.path)  # what a process remembers, it remembers
        with CaptureQueriesContext(connection) as queries:
            answer = browser.get(place.path)
        found[place.path] = (len(queries), answer.status_code)
    for path, (n, status) in sorted(found.items(), key=lambda one: -one[1][0])[:200]:
        print(n, status, path)
    assert not {path: n for path, (n, _) in found.items() if n > MOST_QUERIES}
