"""Plain pages for everything that exists."""

from success.admin import beat, catalogue, operations, people, sources, suppliers

__all__ = ["beat", "catalogue", "operations", "people", "sources", "suppliers"]
