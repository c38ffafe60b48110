"""`/static/success.js`, which runs on other people's pages: small, plain, and had from any of them."""

import gzip
import re
from pathlib import Path

from django.conf import settings
from django.http import HttpResponse
from django.test import RequestFactory
from whitenoise.middleware import WhiteNoiseMiddleware

FILE = Path(settings.BASE_DIR) / "success/static/success.js"
CODE = FILE.read_text()


def test_it_is_small():
    assert len(gzip.compress(CODE.encode(), 9)) < 10_000


def test_it_holds_nothing_that_a_strict_policy_forbids_or_that_would_run_a_name():
    """Words are set as text. No markup from strings, no code from strings, no styles in attributes."""
    assert not re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|setAttribute\(\"style|cssText|srcdoc", CODE)
    assert not re.findall(r"\bimport\b|\brequire\b|sourceMappingURL", CODE)


def test_older_browsers_can_read_it():
    """ES2019: a line that a browser cannot read would be an error on the page that holds it."""
    assert not re.findall(r"\?\.[a-zA-Z\[(]|\?\?|#[a-z]+\s*[=(]|\|\|=|&&=|\bstatic\b|replaceAll|\.at\(|\d_\d", CODE)


def test_any_page_may_have_it_and_has_a_new_one_soon(client, db):
    answer = client.get("/static/success.js", headers={"Origin": "https://app.example.com"})
    answer.close()
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, "*")
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert "immutable" not in answer.headers.get("Cache-Control", "")


def test_in_production_it_is_kept_for_a_minute(tmp_path, settings, db):
    """Its name has no hash, so not for ever."""
    (tmp_path / "success.js").write_text(CODE)
    settings.DEBUG, settings.STATIC_ROOT, settings.WHITENOISE_AUTOREFRESH, settings.WHITENOISE_USE_FINDERS = False, tmp_path, False, False
    answer = WhiteNoiseMiddleware(lambda request: HttpResponse(status=404))(RequestFactory().get("/static/success.js"))
    answer.close()
    assert (answer.headers["Access-Control-Allow-Origin"], answer.headers["Cache-Control"]) == ("*", "max-age=60, public")
