"""The command line behind the Makefile: `run`, `with COMMAND` beside throw-away servers, and `reset`."""

import argparse
import contextlib
import shutil
import sys

from config.local import checkout, stack, throwaway
from config.local.checkout import Problem, say, warn
from config.local.interruption import Interruption, Stopped
from config.local.mailbox import letters
from config.local.servers import data_home


def main() -> int:
    options = parse_arguments()
    try:
        with Interruption() as interruption:
            return act(options, interruption)
    except Stopped as stopped:
        return stopped.exit_code
    except Problem as problem:
        warn(str(problem))
    except PermissionError as error:
        warn(f"Not allowed: {error.filename}. Was this checkout started by another user before?")
    return 1


def act(options: argparse.Namespace, interruption: Interruption) -> int:
    checkout.make_local_folder()
    match options.action:
        case "run":
            return stack.run(interruption)
        case "with":
            return throwaway.run(options.command, settings_module=options.settings, durable=options.durable)
        case _:
            return reset(sure=options.yes)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="config.local.launch", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("run", help="start everything and stay in the foreground")
    beside = actions.add_parser("with", help="run a command beside servers that are thrown away after it")
    beside.add_argument("--settings", default="config.settings", help="the DJANGO_SETTINGS_MODULE")
    beside.add_argument("--durable", action="store_true", help="sync to disk and tune as a server, for measurements")
    beside.add_argument("command", nargs=argparse.REMAINDER)
    actions.add_parser("reset", help="throw the local data away").add_argument("--yes", action="store_true", help="do not ask")
    return parser.parse_args()


def reset(*, sure: bool) -> int:
    """The local data and secrets are gone, once the user has said so."""
    with stack.only_run_here():
        home = data_home()
        if not sure and not confirmed("This throws away the local database, its secrets, the logs and the mail. Type yes to go on: "):
            say("Nothing was changed.")
            return 1
        for folder in (home / "postgres", home / "valkey", *home.glob("binaries-*"), checkout.LOGS, letters.FOLDER):
            shutil.rmtree(folder, ignore_errors=True)
        checkout.SECRETS_FILE.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # `.local` itself, or a test that runs meanwhile
            home.rmdir()
    say("The local data is gone. `make run` starts afresh.")
    return 0


def confirmed(question: str) -> bool:
    try:
        return input(question).strip().lower() == "yes"
    except EOFError:
        return False


if __name__ == "__main__":
    sys.exit(main())
