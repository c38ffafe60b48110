"""`reconcile_milestones`: finds who lacks a milestone that she has reached, and grants it if asked."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from milestones.models import Milestone
from milestones.reconciling import CELEBRATE, SILENTLY, reconcile
from success import clock
from success.management import arguments

PRINTED = 20  # suppliers of a milestone


class Command(BaseCommand):
    help = (
        "Counts again who has reached which milestone, and prints who lacks one; exits with 1 if anybody does. With --grant silently they have it, and nobody is "
        "told; with --grant celebrate it is announced, with its reward. Runs beside everything else; stop it and start it again: what is granted stays granted.\n\n"
        "Example: manage.py reconcile_milestones --milestone client_list --grant silently"
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--grant", choices=[SILENTLY, CELEBRATE], help="those who lack it have it; without this they are only printed")
        parser.add_argument("--milestone", nargs="+", metavar="KEY", help="only these, by their keys")
        parser.add_argument("--supplier", nargs="+", metavar="ID", help="only these, by the product's ids")

    def handle(self, *args: Any, grant: str | None, milestone: list[str] | None, supplier: list[str] | None, **options: Any) -> None:
        only = arguments.named(supplier) if supplier else None
        among = self.named(milestone) if milestone else list(Milestone.objects.ladder())
        with tqdm(total=len(among), unit=" milestones", disable=None) as bar:
            n = reconcile(at=clock.now(), grant=grant, only=only, among=among, found=self.tell, progress=bar.update)
        if n and not grant:
            raise CommandError(f"{n} missing. --grant silently or --grant celebrate gives them.", returncode=1)
        self.stdout.write(f"{n} granted." if n else "Nothing is missing.")

    def named(self, keys: list[str]) -> list[Milestone]:
        found = {one.key: one for one in Milestone.objects.ladder().filter(key__in=keys)}
        if unknown := sorted(set(keys) - set(found)):
            raise CommandError(f"No such milestone that can be reached: {', '.join(unknown)}.")
        return list(found.values())

    def tell(self, milestone: Milestone, suppliers: Sequence[int]) -> None:
        if not suppliers:
            return
        names = arguments.called(suppliers[:PRINTED])
        more = f" and {len(suppliers) - PRINTED} more" if len(suppliers) > PRINTED else ""
        with tqdm.external_write_mode(file=sys.stdout):
            self.stdout.write(f"{milestone.key}: {', '.join(names)}{more}")
