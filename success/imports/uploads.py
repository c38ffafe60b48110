"""Suppliers from a file that somebody uploads: columns chosen, looked at before, then read chunk by chunk as the command reads them."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.expressions import RawSQL

from success import db
from success.imports.files import Chunk, File, Reject, Unreadable
from success.imports.rejects import HEADER, harmless, with_records
from success.imports.suppliers import ID, Outcome, Row, read, take, traits_in
from success.models import Source, Upload

LARGEST = 5 * 1024 * 1024  # bytes; a larger file is the command's
LINES = 500  # of a transaction
SHOWN = 5
LOOKED_AT = 1000  # lines of the preview
KEPT = timedelta(days=7)
SAME = {
    "id": ("user_id", "userid", "account_id", "customer_id", "external_id"),
    "created_at": ("createdat", "created", "signed_up"),
    "email": ("mail", "e_mail"),
}


class TooLarge(Exception):
    """The file is larger than 5 MB. Split it, or use manage.py import_suppliers."""


class NoId(Exception):
    """Choose the column that holds the id your product knows the customer by."""


@dataclass(frozen=True, slots=True)
class Preview:
    """How the beginning of a file would be read."""

    rows: list[Row]
    rejects: list[Reject]
    taken: int

    @property
    def partly(self) -> int:
        return sum(reject.partly for reject in self.rejects)

    @property
    def refused(self) -> int:
        return len(self.rejects) - self.partly


def receive(*, name: str, content: bytes, source: Source, by: User, at: datetime) -> Upload:
    """The file is kept until it is read; nothing of it is imported yet.

    Raises:
        TooLarge: it is.
        Unreadable: its first line names no columns.
    """
    if len(content) > LARGEST:
        raise TooLarge
    file = File(io.BytesIO(content))
    return Upload.objects.create(name=name[:200], source=source, by=by, at=at, content=content, size=len(content), columns=guessed(file.columns))


def guessed(columns: Sequence[str]) -> dict[str, str]:
    """By trait, the column whose name is the trait's but for case and spaces, or one that says the same."""
    plain = {column.lower().replace(" ", "_").replace("-", "_"): column for column in columns}
    return plain | {trait: plain[name] for trait, names in SAME.items() for name in reversed(names) if name in plain and trait not in plain}


def file_of(upload: Upload) -> File:
    return File(io.BytesIO(bytes(upload.content or b"")))


def mapping(upload: Upload, file: File) -> dict[str, str]:
    """By trait, the column it is read from, for those that have one. Raises NoId."""
    known = dict.fromkeys(traits_in(file, {}), "") | upload.columns
    found = traits_in(file, known)
    if file.is_csv and ID not in found:
        raise NoId
    return found


def preview(upload: Upload) -> Preview:
    """The first lines as they would be taken. Raises NoId, Unreadable."""
    file = file_of(upload)
    traits = mapping(upload, file)
    chunk = next(file.chunks(lines=LOOKED_AT), None)
    rows, rejects = read(file.records(chunk), traits, typed=not file.is_csv) if chunk else ([], [])
    return Preview(list(islice(rows, SHOWN)), with_records(rejects, chunk) if chunk else [], len(rows))


@transaction.atomic
def take_next(upload: int, *, at: datetime) -> Upload:
    """The next chunk is imported and counted, once, whoever else asks for it now; after the last the content is gone. Raises NoId."""
    # Who asks for it at the same time waits for a whole chunk.
    db.rows("select set_config('lock_timeout', '20s', true), set_config('statement_timeout', '20s', true)")
    found = Upload.objects.select_for_update().get(pk=upload)
    if found.finished_at is not None:
        return found
    file, outcome, rejects = file_of(found), Outcome(), list[Reject]()
    traits = mapping(found, file)
    chunk = next_chunk(file, found, rejects)
    if chunk is not None:
        rejects += with_records(take(file, chunk, traits, outcome, source=found.source, at=at), chunk)
        found.place, found.line = chunk.end, chunk.first_line + chunk.lines
    if chunk is None or chunk.end >= found.size:
        found.finished_at, found.content = at, None
    count(found, outcome, rejects)
    found.save()
    return found


def next_chunk(file: File, upload: Upload, rejects: list[Reject]) -> Chunk | None:
    """The next chunk of the file; a file that is damaged from here on ends here, and says so."""
    try:
        return next(file.chunks(lines=LINES, at=upload.place or None, line=upload.line or None), None)
    except Unreadable as reason:
        rejects.append(Reject(upload.line or file.first_line, str(reason)))
        return None


def count(upload: Upload, outcome: Outcome, rejects: Sequence[Reject]) -> None:
    upload.created += outcome.created
    upload.changed += outcome.changed
    upload.unchanged += outcome.unchanged
    outcome.add(rejects)
    upload.refused += outcome.refused
    upload.partly += outcome.partly
    out = io.StringIO()
    csv.writer(out).writerows(([HEADER] if rejects and not upload.rejects else []) + [(one.line, one.reason, harmless(one.record)) for one in rejects])
    upload.rejects += out.getvalue()


def forget(*, at: datetime) -> int:
    """Uploads of over a week ago are gone, and files of over a day ago that nobody imported; says how many."""
    old = Upload.objects.filter(at__lt=at - KEPT) | Upload.objects.filter(at__lt=at - timedelta(days=1), finished_at=None)
    return old.delete()[0]


HOLDING = """select id from success_upload where exists (
    select 1 from unnest(%s::text[]) word where position(convert_to(word, 'UTF8') in content) > 0 or strpos(rejects, word) > 0)"""


def forget_supplier(words: Sequence[str]) -> int:
    """Uploads that hold one of these ids or addresses are gone, with what they hold."""
    return Upload.objects.filter(pk__in=RawSQL(HOLDING, [[word for word in words if word]])).delete()[0]  # noqa: S611 - a constant
