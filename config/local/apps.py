from django.apps import AppConfig


class LocalConfig(AppConfig):
    name = "config.local"
    verbose_name = "Developer's machine"
