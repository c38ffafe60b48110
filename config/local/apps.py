from importlib import import_module

from django.apps import AppConfig

from success import clock


class LocalConfig(AppConfig):
    name = "config.local"
    verbose_name = "Developer's machine"

    def ready(self) -> None:
        """The clock goes by how far somebody has gone on here."""
        clock.go_by(import_module("config.local.ahead").current)
