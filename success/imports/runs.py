"""An import from its first chunk to its last, taken up where it stopped."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from django.db import OperationalError

from success import db
from success.imports import activity
from success.imports.activity import Outcome
from success.imports.files import Chunk, File
from success.imports.records import Columns
from success.imports.rejects import Rejects, fits, with_records
from success.models import Import, Source

LINES = 50_000  # of a chunk
TRIES = 3
LOCKED = "55P03"  # a lock was waited for too long

Progress = Callable[[int], object]
"""Told how far the file is read, in its own (packed) bytes."""
Clock = Callable[[], datetime]


class Busy(Exception):
    """Another process imports this file."""


def import_activity(
    raw: BinaryIO,
    *,
    columns: Columns,
    source: Source,
    rejects: Path,
    now: Clock,
    delimiter: str = ",",
    lines: int = LINES,
    progress: Progress = lambda place: None,
) -> Import:
    """Every line of the file is activity, was so before, or is in the rejects file. The rows of an import that was cut off stay, and it goes on after them.

    Raises:
        Unreadable: the file is damaged from some line on; what came before is in.
        Busy: another process is at it.
    """
    file = File(raw, delimiter=delimiter)
    digest = digest_of(raw, columns, delimiter)
    with alone(f"{source.pk} {digest}"):
        run = begin(source, digest, rejects, at=now())
        reading = Reading(file, run, Rejects(rejects, size=run.rejects_size), columns=columns, source=source, now=now)
        try:
            for chunk in file.chunks(lines=lines, at=run.place or None, line=run.line or None):
                reading.take(chunk)
                progress(file.place)
        finally:
            reading.rejects.close()
        run.finished_at = now()
        run.save()
    return run


def digest_of(raw: BinaryIO, columns: Columns, delimiter: str) -> str:
    """What tells a reading from others: the file, and how its columns are read."""
    place = raw.tell()
    raw.seek(0)
    found = hashlib.file_digest(raw, "sha256")  # type: ignore[arg-type]
    raw.seek(place)
    found.update("\0".join([delimiter, *astuple(columns)]).encode())
    return found.hexdigest()


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Nobody else is within, under this name. A process that was killed a moment ago is waited for."""
    try:
        db.rows("select pg_advisory_lock(hashtextextended(%s, 0))", [name])
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", None) != LOCKED:
            raise
        raise Busy from error
    try:
        yield
    finally:
        db.rows("select pg_advisory_unlock(hashtextextended(%s, 0))", [name])


def begin(source: Source, digest: str, rejects: Path, *, at: datetime) -> Import:
    """The import of this file that was cut off, or a new one."""
    db.execute("drop table if exists pg_temp.import_seen")
    run, _ = Import.objects.get_or_create(source=source, digest=digest, finished_at=None, defaults={"started_at": at})
    if not fits(rejects, run.rejects_size):  # then its lines must be read again; those that were taken are known by their keys
        run.place = run.line = run.rejects_size = run.accepted = run.duplicates = run.refused = 0
    return run


@dataclass(slots=True)
class Reading:
    """A file being imported."""

    file: File
    run: Import
    rejects: Rejects
    columns: Columns
    source: Source
    now: Clock
    nameless: bool = False

    def take(self, chunk: Chunk, *, tries: int = TRIES) -> None:
        """The chunk is in, and the run stands behind it. What a retry cures is tried again."""
        run = self.run
        before = (run.accepted, run.duplicates, run.refused, run.rejects_size)
        try:
            activity.take(self.file, chunk, columns=self.columns, source=self.source, at=self.now(), save=lambda outcome: self.save(chunk, outcome, *before))
        except OperationalError:
            run.accepted, run.duplicates, run.refused, run.rejects_size = before
            if tries == 1:
                raise
            self.take(chunk, tries=tries - 1)

    def save(self, chunk: Chunk, outcome: Outcome, accepted: int, duplicates: int, refused: int, size: int) -> None:
        """Where the run stands, written in the transaction of the chunk.

        Lines without an id are counted as they are read, so an import that was cut off goes on where the first of them stood.
        """
        run = self.run
        run.accepted, run.duplicates, run.refused = accepted + outcome.accepted, duplicates + outcome.duplicates, refused + len(outcome.rejects)
        run.rejects_size = self.rejects.write(with_records(outcome.rejects, chunk), size=size)
        run.place, run.line = chunk.end, chunk.first_line + chunk.lines
        self.nameless |= outcome.nameless
        if not self.nameless:
            run.save()
