"""What the admin finds of the console: its pages of suppliers, colleagues, events, runs and dead letters take the place of the plain ones."""

from config.console import colleagues, definitions, ledgers, meanings, playbook_form, segments, suppliers, templates

__all__ = ["colleagues", "definitions", "ledgers", "meanings", "playbook_form", "segments", "suppliers", "templates"]
