from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class SuccessConfig(AppConfig):
    name = "success"
    verbose_name = "Customer success"

    def ready(self) -> None:
        """Every app's jobs and readiness checks are known, as the admin finds each app's pages."""
        autodiscover_modules("scheduled", "readiness")
