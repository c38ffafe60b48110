"""`backfill_health`: the daily scores of the past, as what is known now says."""

import argparse
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from health import history
from success import clock, metrics
from success.management import arguments


class Command(BaseCommand):
    help = (
        "Writes the score as of the end of each UTC day from --from to --to, by the statement that closes each day. Days that were closed before stay "
        "as they were known then, and those that late data would make differ are counted; --overwrite writes them too. Stop it and start it again: "
        "it goes on where it stood.\n\n"
        "Example: manage.py backfill_health --from 2026-08-01 --to 2026-10-31"
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="first", type=date.fromisoformat, required=True, metavar="DAY", help="the first day, as in 2026-08-01")
        parser.add_argument("--to", dest="last", type=date.fromisoformat, required=True, metavar="DAY", help="the last day, before today")
        parser.add_argument("--supplier", nargs="+", metavar="ID", help="only these, by the product's ids")
        parser.add_argument("--overwrite", action="store_true", help="write over days that were closed before")

    def handle(self, *args: Any, first: date, last: date, supplier: list[str] | None, overwrite: bool, **options: Any) -> None:
        if not first <= last < clock.now().date():
            raise CommandError("--from must not be after --to, and --to must be before today (UTC).")
        only = arguments.named(supplier) if supplier else None
        with tqdm(total=metrics.count(only), unit=" suppliers", disable=None) as bar:
            done = history.backfill(first=first, last=last, only=only, overwrite=overwrite, progress=bar.update)
        self.stdout.write(
            f"{done.suppliers} suppliers, {(last - first).days + 1} days: {done.written} rows written, {done.removed} taken away, "
            f"{done.differing} days kept as known then although late data makes them differ."
        )
        arguments.tell_failures(done.failures, self.stderr)
