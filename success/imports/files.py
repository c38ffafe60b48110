"""Files of records as they come, CSV or NDJSON, packed by gzip or not. Pure: bytes in; chunks that end with a record, records and reasons out."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

import msgspec

from success import messages
from success.messages import Refused

PIECE = 64 * 1024
LONGEST = 64 * 1024 * 1024  # bytes of a chunk, whatever its lines
SPAN = 100  # lines of one record: a quote that is still open then is a stray one
DEPTH = 32  # of JSON
BOM = b"\xef\xbb\xbf"


class Unreadable(Exception):
    """The file as a whole cannot be read; the text says why."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole records, with the number of their first line and the place in the unpacked file where the next chunk begins."""

    data: bytes
    first_line: int
    lines: int
    end: int


@dataclass(frozen=True, slots=True)
class Reject:
    """A line that was not taken, or `partly`: but for what the reason names."""

    line: int
    reason: str
    record: str = ""
    partly: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """What stands on a line (or, quoted, on several): the values by column, or why there are none."""

    line: int
    raw: bytes
    values: Mapping[str, Any] | None
    reason: str = ""


class File:
    """A file of records: whether it is CSV, its columns, and its chunks from any place on. `place` says how far the (packed) file is read."""

    def __init__(self, raw: BinaryIO, *, delimiter: str = ",") -> None:
        self.raw, self.delimiter = raw, delimiter
        raw.seek(0)
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        self.stream = cast(BinaryIO, gzip.GzipFile(fileobj=raw)) if packed else raw
        start = self.read(PIECE)
        self.is_csv = not start.removeprefix(BOM).lstrip().startswith(b"{")
        self.columns: list[str] = []
        self.start = len(BOM) if start.startswith(BOM) else 0
        self.first_line = 1
        if self.is_csv:
            self.read_header(start)

    def read_header(self, start: bytes) -> None:
        header, newline, _ = start.partition(b"\n")
        try:
            found = next(csv.reader([header.decode("utf-8-sig").rstrip("\r")], delimiter=self.delimiter, strict=True), [])
        except (csv.Error, UnicodeDecodeError) as error:
            raise Unreadable(f"The first line does not name the columns: {error}.") from None
        self.columns = [name.strip() for name in found]
        if len(set(self.columns)) < len(self.columns) or not 0 < len(self.columns) <= 1000:
            raise Unreadable("The first line must name each column once.")
        self.start, self.first_line = len(header) + len(newline), 2

    @property
    def place(self) -> int:
        return self.raw.tell()

    def read(self, size: int) -> bytes:
        try:
            return self.stream.read(size)
        except (EOFError, OSError, zlib.error) as error:
            raise Unreadable(f"Cannot be read on: {error}.") from None

    def chunks(self, *, lines: int, at: int | None = None, line: int | None = None) -> Iterator[Chunk]:
        """The rest of the file from a place on, about so many lines at a time.

        Raises:
            Unreadable: the file is cut off or damaged, or has a line that is too long. What came before has been given.
        """
        at, line = self.start if at is None else at, self.first_line if line is None else line
        self.stream.seek(at)
        block, want = b"", min(PIECE, 40 * lines)
        while data := self.read(want):
            block += data
            found = block.count(b"\n")
            if found < lines and len(block) < LONGEST:
                want = min(64 + len(block) * (lines - found) // max(found, 1), LONGEST)
                continue
            chunk = self.cut(block, boundary(block, quoted=self.is_csv), at, line)
            yield chunk
            block, at, line, want = block[len(chunk.data) :], chunk.end, line + chunk.lines, len(chunk.data)
        if block:
            yield self.cut(block, len(block), at, line)

    def cut(self, block: bytes, size: int, at: int, line: int) -> Chunk:
        if not size:
            raise Unreadable(f"Line {line} is too long.")
        data = block[:size]
        return Chunk(data, line, data.count(b"\n") + (not data.endswith(b"\n")), at + size)

    def records(self, chunk: Chunk) -> Iterator[Record]:
        """The records of a chunk, one by one; empty lines are passed over."""
        return csv_records(chunk, self.columns, self.delimiter) if self.is_csv else json_records(chunk)


def boundary(block: bytes, *, quoted: bool) -> int:
    """The end of the last whole record: a newline that is not inside quotes, unless a quote stays open for too many lines."""
    last = block.rfind(b"\n") + 1
    if not quoted or block.count(b'"', 0, last) % 2 == 0:
        return last
    end, odd = last, True
    for _ in range(SPAN):
        before = block.rfind(b"\n", 0, max(end - 1, 0)) + 1
        odd ^= bool(block.count(b'"', before, end) % 2)
        end = before
        if not odd:
            return end or last
    return last


def csv_records(chunk: Chunk, columns: Sequence[str], delimiter: str) -> Iterator[Record]:
    lines, place = chunk.data.split(b"\n"), 0
    while place < len(lines):
        span = closing(lines, place)
        raw = b"\n".join(lines[place : place + max(span, 1)]).rstrip(b"\r")
        if raw:
            yield csv_record(chunk.first_line + place, raw, columns, delimiter, closed=span > 0)
        place += max(span, 1)


def closing(lines: Sequence[bytes], place: int) -> int:
    """How many lines the record that begins here takes; 0 if a quote of it is never closed."""
    odd = False
    for span, line in enumerate(lines[place : place + SPAN], start=1):
        odd ^= bool(line.count(b'"') % 2)
        if not odd:
            return span
    return 0


def csv_record(line: int, raw: bytes, columns: Sequence[str], delimiter: str, *, closed: bool) -> Record:
    if not closed:
        return Record(line, raw, None, "A quote is opened and not closed.")
    try:
        values = next(csv.reader(io.StringIO(raw.decode(), newline=""), delimiter=delimiter, strict=True))
    except UnicodeDecodeError:
        return Record(line, raw, None, "Is not UTF-8.")
    except csv.Error:
        return Record(line, raw, None, "Is not CSV: a quote stands where none may.")
    if len(values) != len(columns):
        return Record(line, raw, None, f"Has {len(values)} columns; the first line names {len(columns)}.")
    return Record(line, raw, dict(zip(columns, values, strict=True)))


def json_records(chunk: Chunk) -> Iterator[Record]:
    for line, raw in enumerate(chunk.data.split(b"\n"), start=chunk.first_line):
        if raw := raw.strip():
            yield json_record(line, raw)


def json_record(line: int, raw: bytes) -> Record:
    if raw.count(b"{") + raw.count(b"[") > DEPTH and messages.deeper_than(raw, DEPTH):
        return Record(line, raw, None, f"Nests deeper than {DEPTH} levels.")
    try:
        values = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Record(line, raw, None, "Is not JSON.")
    return Record(line, raw, values) if isinstance(values, dict) else Record(line, raw, None, "Is not a JSON object.")


def reason_of(refused: Refused) -> str:
    """What is wrong, and with which column."""
    return "; ".join(f"{error['pointer'].lstrip('/')}: {error['detail']}".removeprefix(": ") for error in refused.errors)
