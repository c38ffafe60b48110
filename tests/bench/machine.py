"""The machine and the state of the code that figures come from."""

import os
import platform
import subprocess
from pathlib import Path

import django

from success import db
from tests.server import ROOT


def described() -> str:
    settings = dict(db.rows("select name, current_setting(name) from pg_settings where name in ('fsync', 'shared_buffers', 'synchronous_commit', 'work_mem')"))
    told = ", ".join(f"{name} {value}" for name, value in sorted(settings.items()))
    return (
        f"{platform.system()} {platform.release()}, {os.cpu_count()} cores ({processor()}), {memory()}; "
        f"Python {platform.python_version()}, Django {django.__version__}; PostgreSQL {db.rows('show server_version')[0][0]} with {told}"
    )


def processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def memory() -> str:
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.0f} GB of memory"


def commit() -> str:
    """The commit, and whether something is changed since."""
    found = git("rev-parse", "--short", "HEAD")
    return (found + (" with changes" if git("status", "--porcelain", "--untracked-files=no") else "")) if found else "unknown commit"


def git(*arguments: str) -> str:
    try:
        return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
