"""`erase_supplier`: forgets one supplier, for good."""

import uuid
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from success import clock, privacy
from success.privacy import UnknownSupplier
from success.suppliers import SupplierErased


class Command(BaseCommand):
    help = (
        "Forgets one supplier: people, clients, activity and scores go, ledgers stay under an opaque id, and whoever sends its ids or addresses again is "
        "refused. There is no way back. Example: manage.py erase_supplier sarah-photo"
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("supplier", metavar="ID", help="the product's id of the supplier")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, supplier: str, yes: bool, **options: Any) -> None:
        try:
            held = privacy.held_of(supplier)
            if not yes:
                self.confirm(supplier, held)
            privacy.erase(supplier, at=clock.now(), opaque=f"erased-{uuid.uuid4().hex}")
        except UnknownSupplier:
            raise CommandError("There is no supplier of this id.") from None
        except SupplierErased:
            raise CommandError("This supplier is forgotten already.") from None
        self.stdout.write("Forgotten.")

    def confirm(self, supplier: str, held: dict[privacy.Held, int]) -> None:
        self.stdout.write(f"{supplier} will be forgotten:")
        for one, count in held.items():
            self.stdout.write(f"  {count:>8} {one.on_erasure:<8} {one.what}")
        if input("There is no way back. Type the id to go on: ") != supplier:
            raise CommandError("Nothing was erased.")
