"""The kind that crosses the network: a row is told to the sink under a key of its own."""

import http.client
import json
from datetime import datetime, timedelta

from django.conf import settings

from success import due
from tests.chaos.models import Call

CALLS = "chaos.call"


def key_of(row: Call) -> str:
    return f"call-{row.pk}"


def call(row: Call, *, at: datetime) -> due.Outcome:
    """The sink has it, or nobody knows; what it refuses to hear surely did not happen."""
    connection = http.client.HTTPConnection("127.0.0.1", int(settings.CHAOS_SINK), timeout=5)
    try:
        connection.connect()
    except OSError as error:
        return due.Retry(type(error).__name__)
    with connection.sock:
        connection.request("POST", "/", json.dumps({"row": row.pk}), {"Idempotency-Key": key_of(row)})
        status = connection.getresponse().status
    return due.Accepted() if status == 200 else due.Unknown(f"answered {status}")


due.register(due.Kind(key=CALLS, model=Call, carry_out=call, transactional=False, lease=timedelta(seconds=settings.CHAOS_HOLD)))
