"""The rejects file of an import: each line that was not taken, with its number, the reason and what stands on it."""

import csv
import io
import os
from collections.abc import Iterable
from pathlib import Path

from success.imports.files import Chunk, Reject

HEADER = ("line", "reason", "record")
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run it


class Rejects:
    """Written before its chunk commits, up to a size the chunk remembers: what an import that was cut off wrote too much is cut away."""

    def __init__(self, path: Path, *, size: int = 0) -> None:
        self.path = path
        self.file = path.open("r+b" if size else "wb")
        self.size = size

    def write(self, rejects: Iterable[Reject], *, size: int) -> int:
        """The file holds what it held at this size, and these lines after it, safe on disk; says its new size."""
        self.file.seek(size)
        self.file.truncate()
        rows = io.StringIO()
        write = csv.writer(rows).writerow
        for place, reject in enumerate(rejects):
            if not place and not size:
                write(HEADER)
            write((reject.line, reject.reason, harmless(reject.record)))
        if rows.tell():
            self.file.write(rows.getvalue().encode())
            self.file.flush()
            os.fsync(self.file.fileno())
        self.size = self.file.tell()
        return self.size

    def close(self) -> None:
        """No empty file is left."""
        self.file.close()
        if not self.size:
            self.path.unlink(missing_ok=True)


def fits(path: Path, size: int) -> bool:
    """Whether the file holds what an import wrote up to this size."""
    return not size or (path.is_file() and path.stat().st_size >= size)


def with_records(rejects: Iterable[Reject], chunk: Chunk) -> list[Reject]:
    """In the order of the file, each with what stands on its line."""
    found = sorted(rejects, key=lambda reject: reject.line)
    lines = chunk.data.split(b"\n") if found else []
    return [Reject(one.line, one.reason, lines[one.line - chunk.first_line].rstrip(b"\r").decode(errors="replace"), one.partly) for one in found]


def harmless(record: str) -> str:
    return f"'{record}" if record.startswith(FORMULA) else record
