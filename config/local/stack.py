"""The whole stack in the foreground: servers, migrations, accounts, the Procfile's programs, and the greeting."""

import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

from config.local import checkout, environment
from config.local.checkout import Problem, say
from config.local.embedded import Backing, backing
from config.local.environment import Settings
from config.local.interruption import Interruption, Stopped
from config.local.output import Output, keep_last_log
from config.local.ports import LOOPBACK, Reservation, answers, reserve_beside, reserve_web_port
from config.local.postgres import Tuning
from config.local.processes import Guard
from config.local.procfile import Program, commands
from config.local.servers import data_home
from config.local.supervisor import Supervisor

READY_SECONDS = 180.0


def run(interruption: Interruption) -> int:
    """Start everything and stay until asked to stop, which is the normal end."""
    started = time.monotonic()
    announced = [checkout.RUN_FILE, checkout.ENVIRONMENT_FILE]
    with only_run_here(), Guard(remove=announced) as guard:
        try:
            for file in announced:  # of a run that was killed together with its guardian
                file.unlink(missing_ok=True)
            web = reserve_web_port(os.environ.get("PORT", ""))
            stream, mail = reserve_beside(web.port), Reservation()
            with backing(guard=guard, home=data_home(), logs=checkout.LOGS, tuning=Tuning.RUN) as servers:
                settings = environment.local_settings(
                    database_url=servers.database_url,
                    redis_url=servers.redis_url,
                    private=environment.kept_secrets(),
                    port=web.port,
                    stream_port=stream.port,
                    mail_port=mail.port,
                )
                checkout.write_private(checkout.ENVIRONMENT_FILE, settings)
                sign_in = prepare(guard, settings)
                with programs(guard, settings, servers, interruption, mail_port=mail.port) as supervisor:
                    if not supervisor.run(until=lambda: not missing(settings), seconds=READY_SECONDS):
                        raise Problem(f"Not ready after {READY_SECONDS:.0f} s: {missing(settings)}. Logs: {checkout.LOGS}")
                    checkout.write_private(checkout.RUN_FILE, environment.run_file(settings))
                    say(greeting(settings, sign_in, seconds=time.monotonic() - started))
                    supervisor.run()
        except Stopped:
            say("Stopped.")
    return 0


@contextlib.contextmanager
def only_run_here() -> Iterator[None]:
    """Hold the lock that says `make run` is up in this checkout."""
    deadline = time.monotonic() + 1  # manage.py holds it for a blink while it looks
    while (descriptor := checkout.lock(checkout.RUN_LOCK)) is None:
        if time.monotonic() > deadline:
            raise Problem(f"`make run` is already up in this checkout{where()}. Stop it there with Ctrl-C first.")
        time.sleep(0.05)
    try:
        yield
    finally:
        os.close(descriptor)


def where() -> str:
    with contextlib.suppress(OSError, ValueError, KeyError):
        return f" at {json.loads(checkout.RUN_FILE.read_text())['base_url']}"
    return ""


def prepare(guard: Guard, settings: Settings) -> list[dict[str, str]]:
    """The database is migrated and filled; the answer is who may sign in."""
    say("Migrating the database ...")
    manage(guard, settings, "migrate", "--verbosity=0")
    say("Preparing the accounts and, if wanted, the demo ...")
    answer = manage(guard, settings, "prepare_local")
    try:
        sign_in: list[dict[str, str]] = json.loads(answer)["sign_in"]
    except (ValueError, KeyError) as error:
        raise Problem(f"manage.py prepare_local did not say who may sign in, but: {answer.decode(errors='replace')!r}") from error
    return sign_in


def manage(guard: Guard, settings: Settings, *arguments: str) -> bytes:
    """Run a command of manage.py and return what it printed; its errors and progress go to the terminal."""
    command = [sys.executable, "manage.py", *arguments]
    process = guard.start(command, cwd=checkout.ROOT, env=environment.of_a_process(settings), stdout=subprocess.PIPE)
    printed, _ = process.communicate()
    guard.forget(process)
    if process.returncode:
        raise Problem(f"manage.py {' '.join(arguments)} failed.")
    return printed


@contextlib.contextmanager
def programs(guard: Guard, settings: Settings, servers: Backing, interruption: Interruption, *, mail_port: int) -> Iterator[Supervisor]:
    """The Procfile's programs and the mail sink run under a supervisor, which keeps the embedded servers running too."""
    lines = commands(checkout.PROCFILE) | {"mail": f"exec python -m config.local.mailbox.sink {mail_port}"}
    output = Output(list(lines))
    supervisor = Supervisor(guard=guard, output=output, interruption=interruption)
    whole_environment = environment.of_a_process(settings)
    started = [Program(name, command, guard=guard, output=output, environment=whole_environment) for name, command in lines.items()]
    for server in servers.servers:
        supervisor.watch(server)
    for program in started:
        keep_last_log(program.log)
        supervisor.watch(program)
    try:
        yield supervisor
    finally:
        supervisor.stop(list(started))


def missing(settings: Settings) -> str:
    """What is not ready yet, in words; nothing when all is."""
    if not answers(int(settings["STREAM_PORT"])):
        return "the stream server does not answer"
    try:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{settings['PORT']}/readyz", timeout=2):
            return ""
    except urllib.error.HTTPError as error:
        return f"/readyz answers {error.code}: {error.read(2000).decode(errors='replace')}"
    except OSError as error:
        return f"/readyz does not answer: {error}"


def greeting(settings: Settings, sign_in: list[dict[str, str]], *, seconds: float) -> str:
    site = settings["BASE_URL"]
    own_mail = "EMAIL_URL" not in os.environ
    people = "\n".join(f"    {person['user']:<20} {person['password']:<20} {person['role']}" for person in sign_in)
    return f"""
  Ready after {seconds:.0f} s.  Start here:

    {site}/playground/  a supplier's day in the product, and beside it what this system makes of it
    {site}/mailbox/     all mail sent here{"" if own_mail else "  (not now: EMAIL_URL is set to another server)"}
    {site}/admin/       the console: who needs a success manager today

  Sign in there as
{people}

  For programs:  addresses and keys are in .local/run.json, the API is described at {site}/api/docs/
  For pages:     the script is {site}/static/success.js, the stream {settings["STREAM_URL"]}
  Logs:          .local/logs/
  Ctrl-C stops everything.
"""
