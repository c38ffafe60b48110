"""Long SQL, in files beside this one."""

from pathlib import Path

SQL = Path(__file__).parent


def read(name: str) -> str:
    return (SQL / f"{name}.sql").read_text()
