"""The launcher, for real: a copy of this checkout is started, looked at, and ended in the ways a launcher ends."""

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from config.local.checkout import ROOT, Problem
from config.local.ports import Reservation, reserve_web_port
from config.local.processes import Guard, wait_until
from config.local.procfile import commands

START_SECONDS = 60.0
END_SECONDS = 15.0
NOT_COPIED = shutil.ignore_patterns(".git", ".venv", ".local", ".*_cache", "__pycache__", "staticfiles")
RUN_FILE_NAMES = {  # tools outside the project rely on them
    *("base_url", "stream_url", "admin_user", "admin_password", "api_key"),
    *("jwt_secret", "jwt_audience", "jwt_issuer", "database_url"),
}
on_linux = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes in /proc")


@dataclass
class Copy:
    """A copy of the checkout with the same .venv, and the launchers started in it."""

    path: Path
    launchers: list["Launcher"] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """A user's, without what the test run itself was given. All processes of the copy carry its path."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
        return kept | {"DEMO": "0", "COPY": str(self.path)}

    def make_run(self) -> "Launcher":
        launcher = Launcher(self, log=self.path.parent / f"launcher-{len(self.launchers)}.log")
        self.launchers.append(launcher)
        return launcher

    def start(self) -> "Launcher":
        launcher = self.make_run()
        assert wait_until(lambda: self.run_file.exists() or launcher.process.poll() is not None, seconds=START_SECONDS), launcher.printed
        assert self.run_file.exists(), launcher.printed
        return launcher

    @property
    def run_file(self) -> Path:
        return self.path / ".local" / "run.json"

    def processes(self) -> list[str]:
        """The command lines of all processes of the copy that are alive."""
        return [line for process in Path("/proc").glob("[0-9]*") if (line := self._command_line(process))]

    def _command_line(self, process: Path) -> str:
        try:
            line, environment = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
        except OSError:
            return ""
        return line.replace(b"\0", b" ").decode(errors="replace") if str(self.path).encode() in line + environment else ""

    def all_gone(self) -> bool:
        return wait_until(lambda: not self.processes(), seconds=END_SECONDS)

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(self.path / ".venv/bin/python"), "manage.py", *arguments]
        return subprocess.run(command, cwd=self.path, env=self.environment, capture_output=True, text=True)


class Launcher:
    """A `make run` in the copy. It prints to a file, which never fills up as a pipe does."""

    def __init__(self, copy: Copy, *, log: Path) -> None:
        self.log = log
        command = [str(copy.path / ".venv/bin/python"), "-m", "config.local.launch", "run"]
        with log.open("w") as output:
            self.process = subprocess.Popen(command, cwd=copy.path, env=copy.environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)

    @property
    def printed(self) -> str:
        return self.log.read_text()


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    copy = Copy(tmp_path_factory.mktemp("launcher") / "checkout")
    shutil.copytree(ROOT, copy.path, ignore=NOT_COPIED)
    (copy.path / ".venv").symlink_to((ROOT / ".venv").resolve())
    yield copy
    for launcher in copy.launchers:
        launcher.process.kill()
        launcher.process.wait()
    reset = [sys.executable, "-m", "config.local.launch", "reset", "--yes"]  # root keeps data outside a closed folder
    subprocess.run(reset, cwd=copy.path, env=copy.environment, check=True, capture_output=True)


@on_linux
def test_it_starts_once_says_where_it_is_and_ends_at_ctrl_c(copy: Copy) -> None:
    launcher = copy.start()

    run = json.loads(copy.run_file.read_text())
    assert set(run) == RUN_FILE_NAMES
    assert run["stream_url"].endswith("/stream/")
    assert stat.S_IMODE(copy.run_file.stat().st_mode) == 0o600
    assert stat.S_IMODE((copy.path / ".local/env.json").stat().st_mode) == 0o600
    with urllib.request.urlopen(f"{run['base_url']}/readyz", timeout=5) as answer:  # noqa: S310 - our own address
        assert answer.status == 200

    assert copy.manage("migrate", "--check").returncode == 0, "manage.py finds the running stack with nothing exported"

    second = copy.make_run()
    assert second.process.wait(START_SECONDS) == 1
    assert f"already up in this checkout at {run['base_url']}" in second.printed

    launcher.process.send_signal(signal.SIGINT)
    assert launcher.process.wait(END_SECONDS) == 0
    assert run["admin_password"] in launcher.printed and f"{run['base_url']}/mailbox/" in launcher.printed
    assert copy.processes() == []
    assert not copy.run_file.exists()

    refused = copy.manage("migrate", "--check")
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 2
    assert "make run" in refused.stderr
    assert copy.manage("help").returncode == 0


@on_linux
def test_kill_9_of_the_launcher_leaves_nothing(copy: Copy) -> None:
    launcher = copy.start()
    assert len(copy.processes()) > 8

    launcher.process.kill()
    launcher.process.wait()

    assert copy.all_gone(), copy.processes()
    assert not copy.run_file.exists()


@on_linux
def test_a_guard_ends_what_its_processes_started() -> None:
    with Guard() as guard:
        shell = guard.start(["sh", "-c", "trap '' TERM; sleep 60 & echo $!; wait"], stdout=subprocess.PIPE)
        assert shell.stdout
        child = int(shell.stdout.readline())
        guard.end(shell, patience=0)
        shell.stdout.close()
        assert wait_until(lambda: not is_running(child), seconds=END_SECONDS)


def is_running(pid: int) -> bool:
    """Alive and no zombie: whoever adopts an orphan may never look at it."""
    command_line = Path(f"/proc/{pid}/cmdline")
    return command_line.exists() and command_line.read_bytes() != b""


def test_a_reserved_port_is_refused_to_others_and_shared_with_our_own_server() -> None:
    held = Reservation()
    with pytest.raises(Problem, match=f"Port {held.port} is taken"):
        reserve_web_port(str(held.port))
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        server.bind(("127.0.0.1", held.port))
    held.release()


@pytest.mark.parametrize("asked", ["web", "-1", "70000"])
def test_what_is_no_port_is_refused(asked: str) -> None:
    with pytest.raises(Problem):
        reserve_web_port(asked)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("web: exec granian --port $PORT", {"web": "exec granian --port $PORT"}),
        ("# a comment\n\nbeat: a\nworker-2: b: c\n", {"beat": "a", "worker-2": "b: c"}),
    ],
)
def test_a_procfile_is_read(tmp_path: Path, text: str, expected: dict[str, str]) -> None:
    procfile = tmp_path / "Procfile"
    procfile.write_text(text)
    assert commands(procfile) == expected


def test_a_broken_line_of_a_procfile_is_named(tmp_path: Path) -> None:
    procfile = tmp_path / "Procfile"
    procfile.write_text("web granian")
    with pytest.raises(Problem, match="web granian"):
        commands(procfile)
