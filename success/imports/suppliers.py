"""Suppliers from a file: their traits are set as an identify message would set them, silently."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from success import activity, catalogue, db, messages, suppliers
from success.imports.activity import FORGOTTEN
from success.imports.files import Chunk, File, Record, Reject, reason_of
from success.imports.records import plain
from success.imports.rejects import Rejects, with_records
from success.messages import BUSINESS, PERSONAL, TIME_OF_SIGN_IN, Item, Refused
from success.models import Source

LINES = 1000  # of a transaction
ID = "id"
NOBODY = "owner: nobody who works here goes by this user name or mail address. The rest of the line was taken."
BUILT_IN = {**PERSONAL, **BUSINESS}
DATES = {"created_at", "trial_ends_at", "renews_at", "cancelled_at", TIME_OF_SIGN_IN}
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")  # of a file without times: its midnight, UTC
NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{1,9})?")
FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


@dataclass(frozen=True, slots=True)
class Row:
    """A line that can be taken."""

    line: int
    supplier: str
    traits: dict[str, Any]


@dataclass(slots=True)
class Outcome:
    """What became of the suppliers of a file."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    partly: int = 0  # of those taken, the lines that have a cell which was not

    def add(self, rejects: Sequence[Reject]) -> None:
        self.partly += sum(one.partly for one in rejects)
        self.refused += sum(not one.partly for one in rejects)

    @property
    def read(self) -> int:
        return self.created + self.changed + self.unchanged + self.refused


def traits_in(file: File, renamed: Mapping[str, str]) -> dict[str, str]:
    """By trait, the column it is read from: that of its own name, or the one named for it. Only built-in traits and declared fields are taken."""
    names = [ID, *BUILT_IN, TIME_OF_SIGN_IN, *sorted(catalogue.current().custom_fields)]
    found = {name: renamed.get(name, name) for name in names}
    return {name: column for name, column in found.items() if not file.is_csv or column in file.columns}


def import_suppliers(
    raw: BinaryIO,
    *,
    renamed: Mapping[str, str],
    source: Source,
    rejects: Path,
    now: Callable[[], datetime],
    delimiter: str = ",",
    progress: Callable[[int], object] = lambda place: None,
) -> Outcome:
    """Every supplier of the file is known and has the traits it gives, or its line is in the rejects file. Nothing else of it changes.

    Raises:
        Unreadable: the file is damaged from some line on; what came before is in.
    """
    file, outcome = File(raw, delimiter=delimiter), Outcome()
    traits, kept, size = traits_in(file, renamed), Rejects(rejects), 0
    try:
        for chunk in file.chunks(lines=LINES):
            refused = take(file, chunk, traits, outcome, source=source, at=now())
            size = kept.write(with_records(refused, chunk), size=size)
            outcome.add(refused)
            progress(file.place)
    finally:
        kept.close()
    return outcome


def take(file: File, chunk: Chunk, traits: Mapping[str, str], outcome: Outcome, *, source: Source, at: datetime) -> list[Reject]:
    """The suppliers of a chunk are written, in one transaction, as history; says which lines were refused, or taken in part."""
    rows, rejects = read(file.records(chunk), traits, typed=not file.is_csv)
    with db.history(), db.patient():
        known = suppliers.ids_of([row.supplier for row in rows])
        ids = suppliers.resolve({row.supplier: row.traits.get("created_at", at) for row in rows}, source=source, at=at)
        rejects += [Reject(row.line, FORGOTTEN) for row in rows if row.supplier not in ids]
        rows = sorted((row for row in rows if row.supplier in ids), key=lambda row: ids[row.supplier])
        changed = write(rows, ids, source=source, at=at)
    outcome.created += len(set(ids) - set(known))
    outcome.changed += len({row.supplier for row in rows if row.line in changed} & set(known))
    outcome.unchanged += len(rows) - len(set(ids) - set(known)) - len({row.supplier for row in rows if row.line in changed} & set(known))
    refused = {one.line for one in rejects if not one.partly}
    return [one for one in rejects if not one.partly or one.line not in refused]


def write(rows: Sequence[Row], ids: Mapping[str, int], *, source: Source, at: datetime) -> set[int]:
    """The traits are those of the rows; says which lines changed anything. Locks: suppliers first, then what the sign-ins are folded into."""
    locked = suppliers.lock(ids[row.supplier] for row in rows)
    signed_in = {row.line: sign_in(row, source.pk, at) for row in rows if TIME_OF_SIGN_IN in row.traits}
    activity.record(list(signed_in.values()), source=source, received_at=at)
    changed = set()
    for row in rows:
        supplier = ids[row.supplier]
        updated = suppliers.update(locked[supplier], row.traits, at=at)
        if suppliers.update_contact(supplier, row.supplier, row.traits, is_primary=True, said_at=at) or updated:
            changed.add(row.line)
    return changed


def sign_in(row: Row, source_id: int, at: datetime) -> Item:
    """A reported sign-in, the same message whenever it is read again."""
    signed_in_at, clamped = messages.not_ahead(row.traits[TIME_OF_SIGN_IN], at)
    digest = messages.digest_of(source_id, f"{messages.SIGN_IN_REPORTED} {row.traits[TIME_OF_SIGN_IN].isoformat()} {row.supplier}")
    return Item(digest, row.supplier, None, messages.SIGN_IN_REPORTED, signed_in_at, clamped)


# ---------------------------------------------------------------- from records to rows


def read(records: Iterator[Record], traits: Mapping[str, str], *, typed: bool) -> tuple[list[Row], list[Reject]]:
    """What can be taken, and what cannot."""
    rows, rejects = [], []
    for record in records:
        try:
            rows.append(row_of(record, traits, typed=typed))
        except Refused as refused:
            rejects.append(Reject(record.line, reason_of(refused).removeprefix("traits/")))
    return rows, rejects + without_strangers(rows)


def without_strangers(rows: Sequence[Row]) -> list[Reject]:
    """An owner nobody here goes by is taken out of the row and told: what else the line says is true all the same."""
    known = {name: suppliers.owner_named(name) for name in {row.traits["owner"] for row in rows if row.traits.get("owner")}}
    strange = [row for row in rows if row.traits.get("owner") and known[row.traits["owner"]] is None]
    for row in strange:
        del row.traits["owner"]
    return [Reject(row.line, NOBODY, partly=True) for row in strange]


def row_of(record: Record, traits: Mapping[str, str], *, typed: bool) -> Row:
    """A record's id and traits, checked by the rules of identify. An empty cell says nothing."""
    values = record.values
    if values is None:
        raise Refused("", record.reason)
    if traits[ID] not in values and isinstance(values.get("traits"), dict):
        values = {traits[ID]: values.get("userId"), **values["traits"]}
    name = messages.account(messages.required(plain(values, traits[ID]), traits[ID], 128), traits[ID])
    sent = {trait: values[column] for trait, column in traits.items() if trait != ID and column in values}
    if not typed:
        sent = {trait: of_text(trait, text) for trait, text in sent.items() if text != ""}
    found, _ = messages.traits_of(sent, BUILT_IN, catalogue.current().custom_fields)
    return Row(record.line, name, found)


def of_text(trait: str, text: str) -> Any:
    """A cell as the trait would be sent: numbers and flags are such where the trait is, or no trait of ours says what it is."""
    if trait in DATES and DAY.fullmatch(text):
        return f"{text}T00:00:00Z"
    if trait == "internal":
        return FLAGS.get(text.lower(), text)
    if trait == "mrr" or (trait not in BUILT_IN and trait != TIME_OF_SIGN_IN):
        if NUMBER.fullmatch(text):
            return float(text) if "." in text or trait == "mrr" else int(text)
        if trait != "mrr" and text.lower() in ("true", "false"):
            return text.lower() == "true"
    return text
