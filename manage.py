#!/usr/bin/env python
"""Django's command line. In a checkout whose `make run` is up it needs nothing exported."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        from django.core.management import execute_from_command_line  # noqa: PLC0415 - only .venv has Django
    except ImportError:
        sys.exit("This Python has no Django.\nUse  .venv/bin/python manage.py  which `make run` builds.")
    if "DATABASE_URL" not in os.environ:
        from config.local.environment import adopt_running_stack  # noqa: PLC0415 - a deployment has no use for it

        adopt_running_stack()
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
