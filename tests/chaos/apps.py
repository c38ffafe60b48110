from importlib import import_module

from django.apps import AppConfig


class ChaosConfig(AppConfig):
    name = "tests.chaos"
    label = "chaos"

    def ready(self) -> None:
        """Leases are as long as the run allows, and what is to be broken is broken."""
        import_module("tests.chaos.breaks")
