"""Dead letters: activity that is kept but could not be folded. Folded again, halved until the bad row stands alone and waits for a person."""

from collections import Counter
from datetime import datetime

import structlog
from django.db import DatabaseError, OperationalError, transaction

from success import db
from success.logs import reason_of
from success.models import DeadLetter

log = structlog.get_logger(__name__)

# A letter waits from its receipt 0, 10, 30, 70 s and so on, each time twice as long.
DUE = """select id from success_deadletter
    where resolved_at is null and received_at + make_interval(secs => 10 * (power(2, least(attempts, 30)) - 1)) <= %s order by received_at, id limit %s"""


def sweep(*, at: datetime, limit: int = 500) -> Counter[str]:
    """Folds again the open letters whose time has come, and counts letters `folded` and still `open`."""
    total: Counter[str] = Counter()
    for (letter,) in db.rows(DUE, [at, limit]):
        total += fold(letter, at=at)
    return total


def retry(letter: DeadLetter, *, at: datetime) -> bool:
    """Folds a letter again now, because a person says so; whether all of it is folded."""
    return not fold(letter.pk, at=at)["open"]


def fold(letter: int, *, at: datetime) -> Counter[str]:
    """A letter is folded once and for all; one that cannot be is halved, and the single rows at fault stay open."""
    try:
        return Counter(folded=fold_whole(letter, at=at))
    except OperationalError as error:  # what another try cures
        log.warning("letter_not_folded", letter=letter, error=type(error).__name__)
        return Counter(open=1)
    except DatabaseError as error:
        rest = halve_or_keep(letter, error)
    if rest is None:
        return Counter(open=1)
    return fold(letter, at=at) + fold(rest, at=at)


@transaction.atomic
def fold_whole(letter: int, *, at: datetime) -> int:
    """Folds all rows of an open letter, or raises what is wrong; 0 if another has done it."""
    db.among_writers()  # before the letter, as whoever erases a supplier does
    if not DeadLetter.objects.select_for_update().filter(pk=letter, resolved_at=None):
        return 0
    db.rows("select success_fold_again(%s)", [letter])
    return DeadLetter.objects.filter(pk=letter).update(resolved_at=at)


@transaction.atomic
def halve_or_keep(letter: int, error: DatabaseError) -> int | None:
    """The letter holds the first half of its messages and a new one, returned, the rest; a single one counts an attempt and says what is wrong with it."""
    found = DeadLetter.objects.select_for_update().get(pk=letter)
    found.sqlstate = getattr(error.__cause__, "sqlstate", None) or found.sqlstate
    found.error = reason_of(error)
    if len(found.messages) == 1:
        found.attempts += 1
        found.save()
        log.error("letter_stays_open", letter=letter, attempts=found.attempts, error=found.error)
        return None
    half = len(found.messages) // 2
    rest = DeadLetter(received_at=found.received_at, messages=found.messages[half:], sqlstate=found.sqlstate, error=found.error, history=found.history)
    found.messages = found.messages[:half]
    found.save()
    rest.save()
    return rest.pk
