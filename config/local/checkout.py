"""The checkout this launcher belongs to, the private files it keeps there, and its locks."""

import fcntl
import json
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROCFILE = ROOT / "Procfile"
LOCAL = ROOT / ".local"
LOGS = LOCAL / "logs"
RUN_FILE = LOCAL / "run.json"  # for tools outside: where the running stack is and how to sign in
ENVIRONMENT_FILE = LOCAL / "env.json"  # for manage.py: the settings of the running stack
SECRETS_FILE = LOCAL / "secrets.json"
RUN_LOCK = LOCAL / "run.lock"


class Problem(Exception):
    """What the person at the terminal has to know or do; its text says so."""


def say(text: str) -> None:
    print(text, flush=True)


def warn(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def make_local_folder() -> None:
    """`.local` exists, closed to reading; others may pass through it, as root's PostgreSQL has to."""
    LOCAL.mkdir(exist_ok=True)
    LOCAL.chmod(0o711)
    LOGS.mkdir(exist_ok=True, mode=0o700)


def write_private(path: Path, content: object) -> None:
    """The file holds the content as JSON, whole or not at all, and only its owner reads it."""
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(content, indent=2) + "\n")
    draft.replace(path)


def lock(path: Path) -> int | None:
    """Lock the file and return its descriptor, or None where someone else holds it.

    The lock lives as long as any process has the descriptor open, so none is left behind by a kill, and a server that
    inherits it holds it for its whole life.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def is_up() -> bool:
    """Whether a `make run` of this checkout is alive."""
    if not RUN_LOCK.exists():
        return False
    descriptor = lock(RUN_LOCK)
    if descriptor is not None:
        os.close(descriptor)
    return descriptor is None
