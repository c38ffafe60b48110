"""A database of its own for each number of suppliers, beside the empty one we were given."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.core.management import call_command
from django.db import connection

from health import assessments
from success import catalogue, db, keys
from tests.bench import population


class Databases:
    """Made when first asked for; all dropped in the end."""

    def __init__(self, *, at: datetime) -> None:
        self.at = at
        self.given = str(connection.settings_dict["NAME"])
        self.made: dict[int, str] = {}

    def use(self, suppliers: int) -> None:
        """What follows runs on the database with so many suppliers, scored once."""
        if suppliers in self.made:
            self.go_to(self.made[suppliers])
            return
        name = f"{self.given}_bench_{suppliers}"
        self.go_to(self.given)
        db.execute(f'drop database if exists "{name}" with (force)')
        db.execute(f'create database "{name}"')
        self.made[suppliers] = name
        self.go_to(name)
        call_command("migrate", verbosity=0)
        population.fill(suppliers, at=self.at)
        assessments.assess(at=self.now())
        db.execute("vacuum (analyze)")
        db.execute("checkpoint")

    def go_to(self, name: str) -> None:
        """Further statements run on this database; what the process remembers of the last one goes."""
        connection.close()
        connection.settings_dict["NAME"] = name
        catalogue.forget()
        keys.forget()

    def now(self) -> datetime:
        """A little later each time, as instants are."""
        self.at += timedelta(milliseconds=1)
        return self.at

    def drop(self) -> None:
        self.go_to(self.given)
        for name in self.made.values():
            db.execute(f'drop database if exists "{name}" with (force)')


@contextmanager
def databases(*, at: datetime) -> Iterator[Databases]:
    found = Databases(at=at)
    try:
        yield found
    finally:
        found.drop()
