"""The source all of the demo hangs on: made anew by each load, so message keys never meet those of an earlier one."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.conf import settings

from success import db
from success.models import Source

NAME = "WedSync (demo)"
LOADING = "WedSync (demo, loading)"
LOCK = 142_0002  # of PostgreSQL's advisory locks


class NotHere(Exception):
    """The demo is for developers: it never loads with DEBUG off."""

    def __str__(self) -> str:
        return str(self.__doc__)


class Busy(Exception):
    """The demo is being loaded, played or removed by another process; try again in a minute."""

    def __str__(self) -> str:
        return str(self.__doc__)


def insist() -> None:
    """Raises NotHere where DEBUG is off."""
    if not settings.DEBUG:
        raise NotHere


def current() -> Source | None:
    """The source of the demo that is in, whole."""
    return Source.objects.filter(is_demo=True, name=NAME).first()


def is_in() -> bool:
    """Whether the demo is loaded to its end."""
    return current() is not None


def begin(*, at: datetime) -> Source:
    """A source for a load that begins; `at` is the instant the whole demo was laid out from."""
    source = Source.objects.create(name=LOADING, is_demo=True)
    Source.objects.filter(pk=source.pk).update(created_at=at)
    source.created_at = at
    return source


def complete(source: Source) -> None:
    """The load came to its end."""
    source.name = NAME
    source.save(update_fields=["name"])


@contextmanager
def alone() -> Iterator[None]:
    """Nobody else loads, plays or removes the demo meanwhile.

    Raises:
        Busy: somebody does.
    """
    if not db.rows("select pg_try_advisory_lock(%s)", [LOCK])[0][0]:
        raise Busy
    try:
        yield
    finally:
        db.rows("select pg_advisory_unlock(%s)", [LOCK])
