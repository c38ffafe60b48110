"""`reconcile_facts`: counts again what triggers counted, and says where it differs."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from success import clock, db, metrics, reconcile, suppliers
from success.reconcile import Difference


class Command(BaseCommand):
    help = (
        "Counts again: roll-ups from raw activity (for the months still kept), facts from roll-ups and clients. Prints each difference "
        "and exits with 1 if there are any; with --fix it puts them right. Runs beside everything else, and may be stopped and started again at will.\n\n"
        "Example: manage.py reconcile_facts --supplier sarah-photo --fix"
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--fix", action="store_true", help="put right what differs")
        parser.add_argument("--supplier", nargs="+", metavar="ID", help="only these, by the product's ids")

    def handle(self, *args: Any, fix: bool, supplier: list[str] | None, **options: Any) -> None:
        only = self.named(supplier) if supplier else None
        with tqdm(total=metrics.count(only), unit=" suppliers", disable=None) as bar:
            wrong = reconcile.reconcile(at=clock.now(), only=only, fix=fix, found=self.print_all, progress=bar.update)
        if wrong and not fix:
            raise CommandError(f"{wrong} differences. --fix puts them right.", returncode=1)
        self.stdout.write(f"{wrong} differences put right." if wrong else "No difference.")

    def named(self, names: list[str]) -> list[int]:
        ids = suppliers.ids_of(names)
        if unknown := sorted(set(names) - set(ids)):
            raise CommandError(f"No such supplier: {', '.join(unknown)}.")
        return sorted(ids.values())

    def print_all(self, wrong: Sequence[Difference]) -> None:
        names = dict(db.rows("select id, external_id from success_supplier where id = any(%s)", [[one.supplier for one in wrong]])) if wrong else {}
        for one in wrong:
            with tqdm.external_write_mode(file=sys.stdout):
                self.stdout.write(f"{names[one.supplier]}: {one.column}: stored {one.stored}, counted {one.counted}")
