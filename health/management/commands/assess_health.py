"""`assess_health`: scores suppliers now. The brief's runDailyHealthCheck, by hand."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from health import assessments
from success import clock, metrics
from success.management import arguments
from success.models import JobRun


class Command(BaseCommand):
    help = (
        "Scores all suppliers now, or those named, or those the last scheduled run failed on. Prints how many were scored and changed, and whose level "
        "changed is told; one that fails stops nobody, is listed, and makes the command exit with 1.\n\n"
        "Example: manage.py assess_health --supplier sarah-photo"
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(prog_name, subcommand, formatter_class=argparse.RawDescriptionHelpFormatter, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        chosen = parser.add_mutually_exclusive_group()
        chosen.add_argument("--supplier", nargs="+", metavar="ID", help="only these, by the product's ids")
        chosen.add_argument("--failed", action="store_true", help="only those the last scheduled run failed on")

    def handle(self, *args: Any, supplier: list[str] | None, failed: bool, **options: Any) -> None:
        only = arguments.named(supplier) if supplier else failed_last() if failed else None
        with tqdm(total=metrics.count(only), unit=" suppliers", disable=None) as bar:
            run = assessments.assess(at=clock.now(), only=only, progress=bar.update)
        self.stdout.write(f"{run.assessed} suppliers scored, {run.changed} changed, {run.told} changes of level told, {len(run.failures)} failed.")
        arguments.tell_failures(run.failures, self.stderr)


def failed_last() -> list[int]:
    """Whom the last run of the job over all suppliers failed on.

    Raises:
        CommandError: it never ran.
    """
    last = JobRun.objects.filter(job="health.assess").exclude(finished_at=None).order_by("slot").last()
    if last is None:
        raise CommandError("No scheduled run has finished yet.")
    return sorted(failure["supplier"] for failure in last.failures)
