"""`dispatch`: tells the stream servers what is to be said to open pages."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from success.stream.dispatching import Dispatcher


class Command(BaseCommand):
    help = "Tells the stream servers what is to be said to open pages. Of several one leads, and another takes over within seconds when it dies."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        ended = threading.Event()
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, lambda *_: ended.set())
        Dispatcher(stopped=ended.is_set).run()
