from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    name = "config.console"
    label = "console"
