"""`import_activity`: what suppliers did, from a file."""

import argparse
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from success import clock
from success.imports import activity, runs
from success.imports.files import File, Unreadable
from success.imports.records import Columns
from success.models import Import, Source


class Command(BaseCommand):
    help = (
        "Imports what suppliers did, from CSV (the first line names the columns) or NDJSON (flat objects or Segment's messages, one a line), packed by gzip "
        "or not. It is history: counted and scored, but nobody is told. Importing a file twice changes nothing, and an import that was cut off goes on where "
        "it stopped. Lines that are not taken stand in the rejects file with the reason. A line without a message id is known by what stands in it and by how "
        "many lines like it came before.\n\n"
        "Example: manage.py import_activity activity.csv.gz --source product --user-id account --timestamp occurred_at"
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--source", required=True, metavar="NAME", help="where the messages come from; their ids are unique within it")
        parser.add_argument("--message-id", default="message_id", metavar="COLUMN", help="default: %(default)s")
        parser.add_argument("--user-id", default="user_id", metavar="COLUMN", help="the supplier (or the person, with --group-id); default: %(default)s")
        parser.add_argument("--event", default="event", metavar="COLUMN", help="default: %(default)s")
        parser.add_argument("--timestamp", default="timestamp", metavar="COLUMN", help="with its zone, as in 2026-11-01T10:00:00Z; default: %(default)s")
        parser.add_argument("--group-id", default="", metavar="COLUMN", help="the supplier, where the user is a person of it")
        parser.add_argument("--properties", default="", metavar="COLUMN", help="a JSON object, of which what the catalogue lists is kept")
        parser.add_argument("--delimiter", default=",", help="of CSV; default: a comma")
        parser.add_argument("--rejects", type=Path, metavar="FILE", help="default: the file's name and .rejects.csv")
        parser.add_argument("--lines", type=int, default=runs.LINES, help="of a transaction; default: %(default)s")

    def handle(self, *args: Any, file: Path, source: str, rejects: Path | None, delimiter: str, lines: int, **options: Any) -> None:
        columns = Columns(**{name: options[name] for name in Columns.__dataclass_fields__})
        rejects = rejects or file.with_name(f"{file.name}.rejects.csv")
        started = time.monotonic()
        try:
            with file.open("rb") as raw:
                found = File(raw, delimiter=delimiter)
                if lacking := activity.missing(found, columns):
                    raise CommandError(f"No column {', '.join(lacking)}; the first line names {', '.join(found.columns)}.")
                where, _ = Source.objects.get_or_create(name=source)
                with tqdm(total=file.stat().st_size, unit="B", unit_scale=True, disable=None) as bar:
                    run = runs.import_activity(
                        raw, columns=columns, source=where, rejects=rejects, now=clock.now, delimiter=delimiter, lines=lines,
                        progress=lambda place: bar.update(place - bar.n),
                    )  # fmt: skip
        except (OSError, Unreadable) as error:
            raise CommandError(str(error)) from error
        except runs.Busy as error:
            raise CommandError("Another process imports this file.") from error
        self.report(run, rejects, seconds=time.monotonic() - started)

    def report(self, run: Import, rejects: Path, *, seconds: float) -> None:
        read = run.accepted + run.duplicates + run.refused
        self.stdout.write(
            f"{read} read: {run.accepted} accepted, {run.duplicates} duplicates, {run.refused} refused. {seconds:.1f} s, {read / seconds:.0f} lines/s."
        )
        if run.refused:
            self.stdout.write(f"What was refused, and why: {rejects}")
        if run.refused and run.refused == read:
            raise CommandError("All lines were refused.", returncode=1)
