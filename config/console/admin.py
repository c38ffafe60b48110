"""What the admin finds of the console: its list of suppliers takes the place of the plain one."""

from config.console import suppliers

__all__ = ["suppliers"]
