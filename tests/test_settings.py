"""Settings: `.env.example` lists them all, and an unsafe start in production is refused."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from success.checks import refuse_if_unsafe, safe_for_production

ROOT = Path(__file__).parent.parent
PRODUCTION = {
    "SECRET_KEY": "a-secret-of-production-0123456789-0123456789-0123456789",
    "SENSITIVE_KEY": "a-sensitive-key-of-production-0123456789-0123456789",
    "ALLOWED_HOSTS": "success.example.com",
    "NUM_PROXIES": "1",
    "JWT_SECRET": "a jwt secret that is long enough: 32 bytes",
    "DATABASE_URL": "postgresql://localhost/nothing",
}
UNSAFE = [  # a setting, and the check that speaks up
    ({"SECRET_KEY": "short"}, "E001"),
    ({"SECRET_KEY": "ab" * 40}, "E001"),
    ({"SENSITIVE_KEY": PRODUCTION["SECRET_KEY"]}, "E009"),
    ({"SENSITIVE_KEY": "short"}, "E009"),
    ({"SECRET_KEY_FALLBACKS": [PRODUCTION["SENSITIVE_KEY"]]}, "E009"),
    ({"ALLOWED_HOSTS": []}, "E002"),
    ({"ALLOWED_HOSTS": ["*"]}, "E002"),
    ({"NUM_PROXIES": -1}, "E003"),
    ({"REQUIRE_SECOND_FACTOR": ["boss"]}, "E010"),
    ({"EMAIL_PROVIDER": "postmark"}, "E011"),
    ({"QUIET_HOURS": "9pm"}, "E012"),
    ({"PRODUCT_ORIGINS": ["*"]}, "E013"),
    ({"PRODUCT_ORIGINS": ["https://app.example.com", "https://*.example.com"]}, "E013"),
    ({"PRODUCT_ORIGINS": ["http://app.example.com"]}, "E013"),
    ({"PRODUCT_ORIGINS": ["https://app.example.com/path"]}, "E013"),
    ({"DEMO": True}, "E004"),
    ({"JWT_ALGORITHM": "none"}, "E005"),
    ({"JWT_SECRET": ""}, "E006"),
    ({"JWT_SECRET": "x" * 31}, "E007"),
    ({"JWT_ALGORITHM": "RS256"}, "E006"),
    ({"JWT_ALGORITHM": "RS256", "JWT_JWKS_URL": "http://issuer.example/keys"}, "E006"),
    ({"JWT_AUDIENCE": ""}, "E008"),
]


@pytest.fixture
def production(settings):
    settings.DEBUG, settings.DEMO = False, False
    settings.SECRET_KEY, settings.JWT_SECRET = PRODUCTION["SECRET_KEY"], PRODUCTION["JWT_SECRET"]
    settings.SENSITIVE_KEY = PRODUCTION["SENSITIVE_KEY"]
    settings.ALLOWED_HOSTS, settings.NUM_PROXIES = ["success.example.com"], 1
    return settings


def test_the_example_lists_every_setting():
    read = re.findall(r"""\benv(?:\.\w+)?\(\s*["'](\w+)["']""", (ROOT / "config/settings.py").read_text())
    assert len(read) == len(set(read)) > 20
    listed = re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.M)
    assert sorted(listed) == sorted(read)


def test_a_safe_production_starts(production):
    assert safe_for_production() == []
    refuse_if_unsafe()
    production.JWT_ALGORITHM, production.JWT_JWKS_URL, production.JWT_SECRET = "RS256", "https://issuer.example/keys", ""
    assert safe_for_production() == []


@pytest.mark.parametrize(("change", "check"), UNSAFE, ids=str)
def test_an_unsafe_one_does_not(production, change, check):
    for name, value in change.items():
        setattr(production, name, value)
    assert [message.id for message in safe_for_production()] == [f"success.{check}"]
    with pytest.raises(ImproperlyConfigured):
        refuse_if_unsafe()
    production.DEBUG = True
    assert safe_for_production() == []


def run(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A process that has these settings and no others."""
    env = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "config.settings", **environment}
    return subprocess.run([sys.executable, "-W", "ignore", *command], env=env, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def test_the_deployment_check_is_clean():
    done = run("manage.py", "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("lacking", ["SECRET_KEY", "ALLOWED_HOSTS", "NUM_PROXIES", "JWT_SECRET"])
def test_manage_and_the_web_process_refuse_what_is_unsafe(lacking):
    for command in (["manage.py", "check"], ["-c", "import config.wsgi"]):
        done = run(*command, **{name: value for name, value in PRODUCTION.items() if name != lacking})
        assert done.returncode != 0
        assert lacking in done.stderr or "key set" in done.stderr


def test_a_secret_may_come_from_a_file(tmp_path):
    secret = tmp_path / "key"
    secret.write_text(PRODUCTION["SECRET_KEY"])
    environment = {name: value for name, value in PRODUCTION.items() if name != "SECRET_KEY"} | {"SECRET_KEY_FILE": str(secret)}
    done = run("-c", "from django.conf import settings; print(settings.SECRET_KEY)", **environment)
    assert done.stdout.strip() == PRODUCTION["SECRET_KEY"]


@pytest.mark.parametrize("path", ["mailbox", "playground"])
def test_neither_mailbox_nor_playground_is_there_in_production(path):
    found = f"import config.wsgi; from django.urls import Resolver404, resolve\ntry: resolve('/{path}/')\nexcept Resolver404: print('none')"
    assert run("-c", found, **PRODUCTION).stdout.strip() == "none"
