"""Plain pages for everything that exists."""

from success.admin import beat, catalogue, due, notifications, operations, sources, suppliers

__all__ = ["beat", "catalogue", "due", "notifications", "operations", "sources", "suppliers"]
