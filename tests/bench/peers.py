"""Beside what others would take: awards of django-badgify, on the same server, in the same run.

It is installed with pip into an environment of its own, which is gone afterwards; the project does not know it.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import django
from django.db import connection

from success import db
from tests.bench import milestones
from tests.bench.databases import Databases
from tests.bench.figures import Figure, Section, section
from tests.bench.timing import interleaved, seconds

AWARDS = 20_000
BADGIFY = "django-badgify==0.6.0"
# Users with their sign-in, of whom all have earned one badge; prints the seconds until all awards are written. Signals are off, as its docs advise for many.
SCRIPT = """
import sys, time, django
from django.conf import settings
name, user, password, host, port, users = sys.argv[1:]
settings.configure(INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "badgify"], DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "NAME": name, "USER": user, "PASSWORD": password, "HOST": host, "PORT": port}})
django.setup()
import badgify
from badgify import commands
from badgify.models import Award
from badgify.recipe import BaseRecipe
from django.contrib.auth.models import User
from django.core.management import call_command

call_command("migrate", verbosity=0)
if not User.objects.exists():
    User.objects.bulk_create(User(username=f"user-{n}") for n in range(int(users)))

class Earned(BaseRecipe):
    name, slug, description, image = "Earned", "earned", "Everybody has it", ""
    @property
    def user_ids(self):
        return User.objects.values_list("id", flat=True)

badgify.register([Earned])
Award.objects.all().delete()
commands.sync_badges()
start = time.perf_counter()
commands.sync_awards(disable_signals=True)
print(time.perf_counter() - start)
assert Award.objects.count() == int(users)
"""


def peers(sizes: list[int], rounds: int, found: Databases) -> Section:
    found.use(max(sizes))
    own = f"{found.given}_badgify"
    with tempfile.TemporaryDirectory() as folder:
        python = installed(Path(folder))
        db.execute(f'drop database if exists "{own}" with (force)')
        db.execute(f'create database "{own}"')
        try:
            ours, theirs, told = interleaved(rounds, lambda: awarded(found), lambda: badgified(python, own), lambda: announced(found))
        finally:
            db.execute(f'drop database if exists "{own}" with (force)')
    return section(
        "Peers",
        f"{AWARDS:,} awards of one milestone written down, beside {BADGIFY} writing as many by its own command, on the same server. Ours are of suppliers whose "
        "facts are read for it. Then the same and told to all of them: published, and in their inboxes, which theirs do not do.",
        [
            Figure("awards", ours, "django-badgify", theirs, AWARDS, "award", 1.0),
            Figure("awards, announced", told, "django-badgify", theirs, AWARDS, "award"),
        ],
    )


def installed(folder: Path) -> Path:
    """A Python that has what is compared, with our release of Django."""
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    python = folder / "venv/bin/python"
    wanted = [BADGIFY, "six", f"django=={django.__version__}", "psycopg[binary]"]
    subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted], check=True, capture_output=True)
    return python


def badgified(python: Path, name: str) -> float:
    told = connection.settings_dict
    who = [name, *(str(told[key]) for key in ("USER", "PASSWORD", "HOST", "PORT"))]
    return float(subprocess.run([python, "-c", SCRIPT, *who, str(AWARDS)], check=True, capture_output=True, text=True).stdout)


def awarded(found: Databases) -> float:
    achieved: list[int] = []
    taken = seconds(lambda: achieved.append(milestones.reached_by_all(AWARDS, at=found.now())))
    return taken / achieved[0] * AWARDS


def announced(found: Databases) -> float:
    """Seconds until all of them have it and were told."""
    db.execute("update milestones_achievement set announced_at = known_at where announced_at is null")

    def work() -> None:
        milestones.reached_by_all(AWARDS, at=found.now())
        milestones.tell(at=found.now())

    return seconds(work)
