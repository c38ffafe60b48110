"""API keys: made, shown once, checked on every request without a query, revoked within a second."""

import hashlib
import secrets
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from success.models import ApiKey, Source

PREFIX = "cs_"
FRESH_FOR = 1.0  # seconds a process may go by what it read last
USED_EVERY = timedelta(minutes=1)  # how exact last_used_at is
MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Access:
    """What a key lets its holder do."""

    key_id: int
    name: str
    source_id: int
    scopes: frozenset[str]
    expires_at: datetime | None


_remembered: dict[bytes, tuple[float, Access | None]] = {}


def digest_of(key: str) -> bytes:
    """What is kept of a key. It is random and long, so a plain hash does not help a thief."""
    return hashlib.sha256(key.encode()).digest()


def create(
    *, source: Source, name: str, scopes: Collection[str], expires_at: datetime | None = None, created_by: int | None = None, key: str = ""
) -> tuple[ApiKey, str]:
    """Makes a key and gives it with its text, which cannot be had again."""
    key = key or PREFIX + secrets.token_urlsafe(30)
    row = ApiKey.objects.create(
        source=source,
        name=name,
        prefix=key[:8],
        digest=digest_of(key),
        scopes=sorted(scopes),
        expires_at=expires_at,
        created_by_id=created_by,
    )
    return row, key


def revoke(key: ApiKey, *, at: datetime) -> None:
    """The key opens nothing any more, in every process within a second."""
    ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=at)
    forget()


def verify(key: str, *, at: datetime) -> Access | None:
    """What the key lets its holder do now; None if it is unknown, revoked or expired."""
    digest = digest_of(key)
    known = _remembered.get(digest)
    if known is None or time.monotonic() - known[0] > FRESH_FOR:
        known = (time.monotonic(), look_up(digest, at=at))
        if len(_remembered) > MOST_REMEMBERED:
            _remembered.clear()
        _remembered[digest] = known
    access = known[1]
    return None if access is None or (access.expires_at is not None and access.expires_at <= at) else access


def look_up(digest: bytes, *, at: datetime) -> Access | None:
    row = ApiKey.objects.filter(digest=digest, revoked_at=None).first()
    if row is None:
        return None
    if row.last_used_at is None or at - row.last_used_at > USED_EVERY:
        ApiKey.objects.filter(pk=row.pk).update(last_used_at=at)
    return Access(row.pk, row.name, row.source_id, frozenset(row.scopes), row.expires_at)


def forget() -> None:
    """Drops what this process remembers."""
    _remembered.clear()
