from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.module_loading import autodiscover_modules

from success.roles import make_roles


class SuccessConfig(AppConfig):
    name = "success"
    verbose_name = "Customer success"

    def ready(self) -> None:
        """Every app's jobs, readiness checks, map of personal data subscribers and facts are known, as the admin finds each app's pages."""
        import_module("success.checks")
        autodiscover_modules("scheduled", "readiness", "privacy", "subscribers", "facts")
        post_migrate.connect(make_roles)
