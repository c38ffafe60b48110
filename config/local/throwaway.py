"""A command beside servers of its own, which are gone after it with all their data."""

import signal
import tempfile
from pathlib import Path

from config.local import checkout, environment
from config.local.embedded import backing
from config.local.interruption import Stopped
from config.local.postgres import Tuning
from config.local.processes import Guard
from config.local.servers import data_home

INTERRUPTED_COMMAND_SECONDS = 15.0


def run(command: list[str], *, settings_module: str, durable: bool) -> int:
    """The command's exit status, 128 and the signal's number where one ended it."""
    if not command:
        raise checkout.Problem("Which command? For example:  with python -m pytest")
    home = Path(tempfile.mkdtemp(prefix="throwaway-", dir=data_home()))
    home.chmod(0o711)
    tuning = Tuning.BENCH if durable else Tuning.TEST
    with Guard(remove=[home]) as guard, backing(guard=guard, home=home, logs=home, tuning=tuning) as servers:
        settings = environment.local_settings(database_url=servers.database_url, redis_url=servers.redis_url, private=environment.new_secrets())
        settings |= {"DJANGO_SETTINGS_MODULE": settings_module, "DEMO": "0"}
        del settings["QUIET_HOURS"], settings["PRODUCT_URL"]  # the demo's alone
        del settings["PORT"], settings["STREAM_PORT"], settings["PRODUCT_ORIGINS"]  # nothing is served; a `make run` within would take it for a wish
        process = guard.start(command, ending=signal.SIGINT, cwd=checkout.ROOT, env=environment.of_a_process(settings), stdin=None)
        try:
            status = process.wait()
        except Stopped:
            guard.end(process, patience=INTERRUPTED_COMMAND_SECONDS)
            raise
        guard.forget(process)
    return 128 - status if status < 0 else status
