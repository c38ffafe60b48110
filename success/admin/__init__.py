"""Plain pages for everything that exists."""

from success.admin import beat, catalogue, notifications, operations, sources, suppliers

__all__ = ["beat", "catalogue", "notifications", "operations", "sources", "suppliers"]
