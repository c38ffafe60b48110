"""manage.py demo: load, play or remove the demo."""

import argparse
import sys
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from config.local import demo
from success import clock

EXAMPLES = """examples:
  manage.py demo load            put the demo in, from anew
  manage.py demo play            play it on to now, as a job does every minute
  manage.py demo remove          say how many rows of each table are the demo's, ask, and take them away
  manage.py demo remove --yes    the same without asking"""


class Command(BaseCommand):
    help = "Loads, plays or removes the demo: some 2,000 suppliers of a made-up WedSync."

    def create_parser(self, *args: Any, **kwargs: Any) -> CommandParser:
        return super().create_parser(*args, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["load", "play", "remove"])
        parser.add_argument("--yes", action="store_true", help="remove without asking")

    def handle(self, *, action: str, yes: bool, **options: object) -> None:
        if not settings.DEBUG:
            raise CommandError("The demo is for developers: DEBUG is off.")
        try:
            {"load": self.load, "play": self.play, "remove": self.remove}[action](at=clock.now(), yes=yes)
        except demo.Busy as error:
            raise CommandError(str(error)) from None

    def load(self, *, at: datetime, yes: bool) -> None:
        with tqdm(desc="Demo", unit=" suppliers", file=sys.stderr) as bar:

            def show(done: int, of: int) -> None:
                bar.total = of
                bar.update(done - bar.n)

            taken = demo.load(at=at, progress=show)
        self.stdout.write(f"The demo is in: {taken:,} messages.")

    def play(self, *, at: datetime, yes: bool) -> None:
        self.stdout.write(f"{demo.play(at=at):,} messages were new." if demo.is_in() else "The demo is not in. Load it with  manage.py demo load")

    def remove(self, *, at: datetime, yes: bool) -> None:
        counts = demo.count(at=at)
        if not counts:
            self.stdout.write("There is no demo data.")
            return
        for table, n in counts.items():
            self.stdout.write(f"{n:>10,}  {table}")
        if not yes and input("Remove these rows? Type yes to go on: ").strip().lower() != "yes":
            self.stdout.write("Nothing was removed.")
            return
        removed = demo.remove(at=at)
        self.stdout.write(f"Removed {sum(removed.values()):,} rows.")
