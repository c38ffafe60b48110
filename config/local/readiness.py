"""A local stack is ready when the demo that was asked for is in."""

from datetime import datetime

from django.conf import settings

from config.local.demo.source import NAME
from success.readiness import Cursor, State, register


def demo(cursor: Cursor, at: datetime) -> State:
    if not settings.DEMO:
        return State(True, "not asked for")
    loaded = cursor.execute("select 1 from success_source where is_demo and name = %s", [NAME]).fetchone()
    return State(loaded is not None, "in" if loaded else "not in")


register("demo", demo)
