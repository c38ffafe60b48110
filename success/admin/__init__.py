"""Plain pages for everything that exists."""

from success.admin import beat, catalogue, operations, sources, suppliers

__all__ = ["beat", "catalogue", "operations", "sources", "suppliers"]
