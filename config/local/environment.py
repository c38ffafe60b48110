"""The settings a local stack hands to its processes, and how manage.py finds them again."""

import json
import os
import secrets
import string
import sys

from config.local import checkout
from config.local.ports import LOOPBACK

Settings = dict[str, str]
HELP = {"help", "--help", "-h", "--version"}


def new_secrets() -> Settings:
    return {
        "SECRET_KEY": random_word(64),
        "JWT_SECRET": random_word(64),
        "LOCAL_ADMIN_PASSWORD": random_word(16),
        "LOCAL_API_KEY": f"cs_{random_word(40)}",
    }


def random_word(length: int) -> str:
    """Letters and digits only: nothing that a shell, a URL or a double click stumbles over."""
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(length))


def kept_secrets() -> Settings:
    """The secrets of this checkout, made once: a restart signs nobody out and keeps keys valid."""
    if not checkout.SECRETS_FILE.exists():
        checkout.write_private(checkout.SECRETS_FILE, new_secrets())
    kept: Settings = json.loads(checkout.SECRETS_FILE.read_text())
    return kept


def local_settings(*, database_url: str, redis_url: str, private: Settings, port: int = 8000, stream_port: int = 8001, mail_port: int = 8025) -> Settings:
    """Settings for development; what the caller has exported goes before ours, but for where the stack is."""
    ours = {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DEBUG": "1",
        "DEMO": "1",
        "ALLOWED_HOSTS": "127.0.0.1,localhost,[::1]",
        "BASE_URL": f"http://{LOOPBACK}:{port}",
        "STREAM_URL": f"http://{LOOPBACK}:{stream_port}/stream/",
        "NUM_PROXIES": "0",
        "EMAIL_URL": f"smtp://{LOOPBACK}:{mail_port}",
        "SENDER_NAME": "WedSync",
        "REPLY_TO": "hello@wedsync.example",
        "POSTAL_ADDRESS": "1 Chapel Road, London",
        "PRODUCT_URL": f"http://{LOOPBACK}:{port}/playground/clients/import/",  # what the demo's letter speaks of
        "QUIET_HOURS": "00:00-00:00",  # no night: all mail stays on this machine, and the demo is to be seen at any hour
        "PLAYBOOK_FIRST_DAY": "100",
        "JWT_AUDIENCE": "authenticated",
        "JWT_ISSUER": "",
        "LOCAL_ADMIN_USER": "admin",
        **private,
    }
    playground = f"http://{LOOPBACK}:{port}"  # whose pages listen, beside those of a product under way elsewhere
    place = {
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "PORT": str(port),
        "STREAM_PORT": str(stream_port),
        "PRODUCT_ORIGINS": ",".join(filter(None, [os.environ.get("PRODUCT_ORIGINS"), playground])),
    }
    return {name: os.environ.get(name, value) for name, value in ours.items()} | place


def of_a_process(settings: Settings) -> dict[str, str]:
    """The whole environment of a process: ours, the settings, and the programs of .venv first."""
    programs = checkout.ROOT / ".venv" / "bin"
    return os.environ | {
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser",  # root here has asked for it
        **settings,
        "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
    }


def run_file(settings: Settings) -> dict[str, str | None]:
    """What tools outside need to use the running stack; they rely on these names."""
    return {
        "base_url": settings["BASE_URL"],
        "stream_url": settings["STREAM_URL"],
        "admin_user": settings["LOCAL_ADMIN_USER"],
        "admin_password": settings["LOCAL_ADMIN_PASSWORD"],
        "api_key": settings["LOCAL_API_KEY"],
        "jwt_secret": settings["JWT_SECRET"],
        "jwt_audience": settings["JWT_AUDIENCE"],
        "jwt_issuer": settings["JWT_ISSUER"] or None,
        "database_url": settings["DATABASE_URL"],
    }


def adopt_running_stack() -> None:
    """For manage.py: take the settings of the `make run` that is up here, without overriding what is exported."""
    if checkout.is_up() and checkout.ENVIRONMENT_FILE.exists():
        settings: Settings = json.loads(checkout.ENVIRONMENT_FILE.read_text())
    elif not sys.argv[1:] or HELP.intersection(sys.argv):
        settings = local_settings(database_url="postgresql://127.0.0.1:1/none", redis_url="redis://127.0.0.1:1", private=new_secrets())
    else:
        sys.exit(
            "No database: DATABASE_URL is not set, and no `make run` is up in this checkout.\n"
            "Start `make run` in another terminal, or set DATABASE_URL and REDIS_URL."
        )
    for name, value in settings.items():
        os.environ.setdefault(name, value)
