"""`export_supplier`: everything held about one supplier, as JSON."""

import json
import os
import sys
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder

from success import privacy
from success.privacy import UnknownSupplier
from success.suppliers import SupplierErased


class Command(BaseCommand):
    help = "Writes everything held about one supplier as JSON. Example: manage.py export_supplier sarah-photo --output sarah.json"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("supplier", metavar="ID", help="the product's id of the supplier")
        parser.add_argument("--output", metavar="FILE", help="a new file, readable by you alone; else standard output")

    def handle(self, *args: Any, supplier: str, output: str | None, **options: Any) -> None:
        try:
            privacy.key_of(supplier)
        except UnknownSupplier:
            raise CommandError("There is no supplier of this id.") from None
        except SupplierErased:
            raise CommandError("This supplier asked to be forgotten; nothing is held.") from None
        if output is None:
            return write(supplier, self.stdout)  # type: ignore[arg-type]
        try:
            with os.fdopen(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                write(supplier, file)
        except FileExistsError:
            raise CommandError(f"{output} is there already.") from None
        sys.stderr.write(f"Written to {output}.\n")


def write(supplier: str, file: TextIO) -> None:
    """One JSON object, a key for each kind of row; row by row, so that memory holds none of it."""
    file.write('{\n"supplier": ' + json.dumps(supplier))
    for label, what, rows in privacy.export(supplier):
        file.write(f',\n{json.dumps(label)}: {{"what": {json.dumps(what)}, "rows": [')
        for place, row in enumerate(rows):
            file.write((",\n  " if place else "\n  ") + json.dumps(row, cls=DjangoJSONEncoder, ensure_ascii=False))
        file.write("]}")
    file.write("\n}\n")
