"""Long SQL, in files beside this one, and how a migration runs it."""

from pathlib import Path

from django.db.migrations import RunSQL

SQL = Path(__file__).parent


def read(name: str) -> str:
    return (SQL / f"{name}.sql").read_text()


def run(name: str) -> RunSQL:
    """The named file forwards, its `_reverse` twin backwards."""
    return RunSQL(read(name), read(f"{name}_reverse"))
