"""Random histories of suppliers, for the properties of the fold."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from success import activity, catalogue
from success.messages import Item
from success.models import Source

NOW = datetime(2026, 11, 20, 23, 58, tzinfo=UTC)
EVENTS = [
    "Signed In", "$last_sign_in_at", "Form Created", "Clients Imported", "Journey Created", "Template Used", "Form Started", "Form Completed",
    "Journey Step Started", "Journey Step Completed", "Client Active", "Page Viewed", "Something Else",
]  # fmt: skip
SUPPLIERS = ["anna", "ben", "cleo"]
MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)
EDGES = [
    MIDNIGHT - timedelta(days=days) + timedelta(microseconds=micro)
    for days in (0, 1, 29, 30, 31) for micro in (-1, 0, 1)
] + [NOW - timedelta(days=30), NOW - timedelta(days=30, microseconds=1), NOW + timedelta(minutes=4), datetime(2000, 1, 1, tzinfo=UTC)]  # fmt: skip

times = st.sampled_from(EDGES) | st.integers(0, 60 * 86_400).map(lambda seconds: NOW - timedelta(seconds=seconds))


@dataclass(frozen=True)
class Happening:
    """An event as it is sent, perhaps more than once."""

    message: int
    supplier: str
    event: str
    at: datetime
    client: str | None

    def item(self, source: Source) -> Item:
        digest = hashlib.sha256(f"{source.pk} {self.message}".encode()).digest()[:16]
        return Item(digest, self.supplier, None, self.event, self.at, False, {"client_id": self.client} if self.client else {})


happenings = st.builds(
    Happening,
    message=st.integers(0, 40),
    supplier=st.sampled_from(SUPPLIERS),
    event=st.sampled_from(EVENTS) | st.just("Client Active"),
    at=times,
    client=st.none() | st.sampled_from(["c1", "c2", "c3"]),
)


def once(sent: list[Happening]) -> list[Happening]:
    """Every sending of a message says the same."""
    first: dict[int, Happening] = {}
    return [first.setdefault(one.message, one) for one in sent]


def record(batch: list[Happening], source: Source, at: datetime = NOW) -> int:
    catalogue.forget()
    return activity.record([one.item(source) for one in batch], source=source, received_at=at).accepted
