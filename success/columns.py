"""Columns of a supplier's row that other apps own. They register them; success reads the registry and imports nobody."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Columns:
    """A join to a supplier `s`, and the expressions it makes possible by name."""

    join: str
    expressions: dict[str, str] = field(default_factory=dict)


_registered: dict[str, Columns] = {}


def register(owner: str, columns: Columns) -> None:
    """From an app's `AppConfig.ready`."""
    _registered[owner] = columns


def joins() -> str:
    return " ".join(columns.join for columns in _registered.values())


def expression(name: str) -> str:
    """The expression of a column; null while nobody owns it."""
    return next((columns.expressions[name] for columns in _registered.values() if name in columns.expressions), "null")
