"""What the admin finds of the console: its lists of suppliers and colleagues take the place of the plain ones."""

from config.console import colleagues, suppliers

__all__ = ["colleagues", "suppliers"]
