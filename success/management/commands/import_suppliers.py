"""`import_suppliers`: who the suppliers are, from a file."""

import argparse
from pathlib import Path
from typing import Any

import pghistory
from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from success import clock
from success.imports import suppliers
from success.imports.files import File, Unreadable
from success.messages import TIME_OF_SIGN_IN
from success.models import Source


class Command(BaseCommand):
    help = (
        "Imports suppliers and their traits from CSV (the first line names the columns) or NDJSON, packed by gzip or not: id, and any of "
        f"{', '.join([*suppliers.BUILT_IN, TIME_OF_SIGN_IN])} and the custom fields declared in the console. An empty cell changes nothing. Nobody is "
        "told of what an import changes. Lines that are not taken stand in the rejects file with the reason.\n\n"
        "Example: manage.py import_suppliers accounts.csv --source product --column id=user_id created_at=start_date"
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--source", required=True, metavar="NAME")
        parser.add_argument(
            "--column", nargs="+", action="extend", default=[], metavar="TRAIT=COLUMN", help="the column a trait is read from, where it is not its own name"
        )
        parser.add_argument("--delimiter", default=",", help="of CSV; default: a comma")
        parser.add_argument("--rejects", type=Path, metavar="FILE", help="default: the file's name and .rejects.csv")

    def handle(self, *args: Any, file: Path, source: str, column: list[str], rejects: Path | None, delimiter: str, **options: Any) -> None:
        renamed = dict(self.pair(text) for text in column)
        rejects = rejects or file.with_name(f"{file.name}.rejects.csv")
        try:
            with file.open("rb") as raw:
                self.check_columns(File(raw, delimiter=delimiter), renamed)
                where, _ = Source.objects.get_or_create(name=source)
                with pghistory.context(through=f"an import from {source}"), tqdm(total=file.stat().st_size, unit="B", unit_scale=True, disable=None) as bar:
                    outcome = suppliers.import_suppliers(
                        raw,
                        renamed=renamed,
                        source=where,
                        rejects=rejects,
                        now=clock.now,
                        delimiter=delimiter,
                        progress=lambda place: bar.update(place - bar.n),
                    )
        except (OSError, Unreadable) as error:
            raise CommandError(str(error)) from error
        self.report(outcome, rejects)

    def pair(self, text: str) -> tuple[str, str]:
        trait, equals, column = text.partition("=")
        if not equals or not column:
            raise CommandError(f"--column takes TRAIT=COLUMN, not {text}.")
        return trait, column

    def check_columns(self, found: File, renamed: dict[str, str]) -> None:
        traits = suppliers.traits_in(found, renamed)
        if unknown := sorted(set(renamed) - set(traits)):
            raise CommandError(f"No such trait, or no such column: {', '.join(f'{name}={renamed[name]}' for name in unknown)}.")
        if suppliers.ID not in traits:
            raise CommandError(f"No column {suppliers.ID}; the first line names {', '.join(found.columns)}.")
        if passed_over := [name for name in found.columns if name not in traits.values()]:
            self.stdout.write(f"Not taken: {', '.join(passed_over)}.")

    def report(self, outcome: suppliers.Outcome, rejects: Path) -> None:
        self.stdout.write(f"{outcome.read} read: {outcome.created} new, {outcome.changed} changed, {outcome.unchanged} unchanged, {outcome.refused} refused.")
        if outcome.partly:
            self.stdout.write(f"{outcome.partly} of those taken without their owner, whom nobody here goes by.")
        if outcome.refused or outcome.partly:
            self.stdout.write(f"What was not taken, and why: {rejects}")
        if outcome.refused and outcome.refused == outcome.read:
            raise CommandError("All lines were refused.", returncode=1)
