"""Long SQL, in files beside this one, and how a migration runs it."""

from pathlib import Path

from django.db.migrations import RunSQL

SQL = Path(__file__).parent


def read(name: str) -> str:
    return (SQL / f"{name}.sql").read_text()


def whole(name: str) -> str:
    return read(name).replace("{body}", read("fold_body")) if name == "fold" else read(name)


def run(name: str) -> RunSQL:
    """The named file forwards, its `_reverse` twin backwards."""
    return RunSQL(whole(name), read(f"{name}_reverse"))


def renew(name: str) -> RunSQL:
    """The functions of the named file, which says `or replace`, as it is now. Backwards they stay."""
    return RunSQL(whole(name), RunSQL.noop)
