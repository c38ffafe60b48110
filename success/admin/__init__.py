"""Plain pages for everything that exists."""

from success.admin import beat, catalogue, due, operations, sources, suppliers

__all__ = ["beat", "catalogue", "due", "operations", "sources", "suppliers"]
