"""manage.py prepare_local: accounts, key and demo of a local stack, before its programs start."""

import argparse
import json
import os
import sys
from datetime import datetime
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from config.local import demo
from config.local.demo import staff
from config.local.scheduled import PLAY
from interventions import playbooks
from success import clock, keys, timetable
from success.models import ApiKey, Source
from success.models.sources import Scope
from success.roles import ADMINISTRATOR

EXAMPLES = """examples:
  LOCAL_ADMIN_USER=admin LOCAL_ADMIN_PASSWORD=... LOCAL_API_KEY=cs_... DEMO=1 manage.py prepare_local

`make run` calls this before it starts the programs. Calling it again changes nothing but the time."""


class Command(BaseCommand):
    help = "Makes the administrator and the API key of a local stack, loads the demo or plays it on, and prints who may sign in."

    def create_parser(self, *args: Any, **kwargs: Any) -> Any:
        return super().create_parser(*args, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs)

    def handle(self, **options: object) -> None:
        if not settings.DEBUG:
            raise CommandError("This is for a developer's machine: DEBUG is off.")
        administrator = make_administrator(user=wanted("LOCAL_ADMIN_USER"), password=wanted("LOCAL_ADMIN_PASSWORD"))
        make_key(wanted("LOCAL_API_KEY"))
        timetable.enter(PLAY, models=lambda name: apps.get_model("django_celery_beat", name))
        managers = start_demo(at=clock.now()) if settings.DEMO else []
        people = [{"user": one.user, "password": one.password, "role": one.role} for one in (*managers, administrator)]
        self.stdout.write(json.dumps({"sign_in": people}))


def wanted(name: str) -> str:
    if not os.environ.get(name):
        raise CommandError(f"{name} is not set.")
    return os.environ[name]


def make_administrator(*, user: str, password: str) -> staff.SignIn:
    """The administrator can sign in with this password and do everything."""
    account, _ = get_user_model().objects.get_or_create(username=user)
    account.is_staff = account.is_superuser = account.is_active = True
    account.save(update_fields=["is_staff", "is_superuser", "is_active"])
    staff.give(account, password=password, role=ADMINISTRATOR)
    return staff.SignIn(user, password, ADMINISTRATOR)


def make_key(key: str) -> None:
    """The key opens everything, as a source of its own."""
    source, _ = Source.objects.get_or_create(name="local")
    if not ApiKey.objects.filter(digest=keys.digest_of(key)).exists():
        keys.create(source=source, name="make run", scopes=Scope.values, key=key)


def start_demo(*, at: datetime) -> list[staff.SignIn]:
    """The demo is in and has gone on to now, and its letters leave as the programs start; who of its people may sign in."""
    with tqdm(desc="Demo", unit=" suppliers", file=sys.stderr, disable=demo.is_in()) as bar:
        demo.start(at=at, progress=lambda done, of: show(bar, done, of))
    playbooks.sweep(at=at)
    return staff.hire()


def show(bar: "tqdm[Any]", done: int, of: int) -> None:
    bar.total = of
    bar.update(done - bar.n)
