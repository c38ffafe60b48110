"""Builds .venv from requirements-dev.txt when that or the Python changed, then hands over to it.

    python3 config/local/bootstrap.py [ARGUMENTS OF .venv/bin/python ...]

Runs on a bare Python and is started by its path, because importing `config` already needs the environment it builds.
"""

import fcntl
import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UV = VENV / "bin" / "uv"
REQUIREMENTS = ROOT / "requirements-dev.txt"
STAMP = VENV / ".built"
OLDEST = (3, 11)

Built = dict[str, str]


def main(arguments: list[str]) -> None:
    if sys.version_info < OLDEST:
        sys.exit(f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed; {sys.executable} is {sys.version.split()[0]}.")
    bring_up_to_date()
    if arguments:
        os.chdir(ROOT)
        os.execv(PYTHON, [str(PYTHON), *arguments])  # noqa: S606 - the caller's own command, without a shell


def bring_up_to_date() -> None:
    """.venv holds exactly what the lock file names; two starts at once build it once."""
    if found() == wanted():
        return
    (ROOT / ".local").mkdir(exist_ok=True)
    with (ROOT / ".local" / "bootstrap.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if found() != wanted():  # another start may have built it while this one waited
            build()


def wanted() -> Built:
    return {
        "python": f"{sys.version} in {sys.base_prefix}",
        "folder": str(VENV.resolve()),  # scripts in bin/ carry it, so a moved checkout builds anew
        "requirements": hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest(),
    }


def found() -> Built:
    try:
        built: Built = json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}
    return built if PYTHON.exists() else {}


def build() -> None:
    started, before, after = time.monotonic(), found(), wanted()
    print("Building .venv from requirements-dev.txt, once; about half a minute.", file=sys.stderr, flush=True)
    STAMP.unlink(missing_ok=True)  # a build cut short must not pass for a whole one
    if any(before.get(part) != after[part] for part in ("python", "folder")):
        make_venv()
    install()
    STAMP.write_text(json.dumps(after))
    print(f"Built .venv in {time.monotonic() - started:.0f} s.", file=sys.stderr, flush=True)


def make_venv() -> None:
    # Started from an activated .venv, sys.executable is the very file that --clear removes.
    python = getattr(sys, "_base_executable", sys.executable)
    made = subprocess.run([python, "-m", "venv", "--clear", str(VENV)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if made.returncode and "ensurepip" in made.stdout:
        sys.exit("This Python cannot make virtual environments. On Debian and Ubuntu:  apt install python3-venv")
    if made.returncode:
        sys.exit(f"python3 -m venv failed:\n{made.stdout}")


def install() -> None:
    """Install by uv, which is ten times faster here, or by pip where uv cannot be had or cannot reach the index."""
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    locked = ["--require-hashes", "--requirement", str(REQUIREMENTS)]
    if not UV.exists():
        subprocess.run([*pip, "--only-binary=:all:", "uv>=0.9"], capture_output=True)
    if UV.exists():
        by_uv = [str(UV), "pip", "install", "--quiet", "--python", str(PYTHON), *locked]
        if subprocess.run(by_uv, capture_output=True).returncode == 0:
            return
    if subprocess.run([*pip, *locked]).returncode:
        sys.exit("The packages of requirements-dev.txt could not be installed; pip says why above.")


if __name__ == "__main__":
    main(sys.argv[1:])
