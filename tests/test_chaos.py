"""A short form of `make chaos`: it holds as it is, and each invariant, broken on purpose, turns its checker red."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server import ROOT

EXPECTED = {  # what is broken -> the checks of which at least one sees it
    "no_transaction": {"doubled"},
    "no_token": {"doubled", "repeated"},
    "no_end_of_leases": {"lost", "calls_lost"},
    "sent_again": {"repeated"},
    "key_of_the_attempt": {"keys"},
    "a_failure_ends_the_run": {"lost", "in_time"},
    "no_unique_index": {"doubled"},
}


Found = dict[str, dict[str, bool]]
TRIES = 3  # at a break: which worker dies when is chance, and on a busy machine it may have done no harm


def runs(told: Path, *broken: str) -> Found:
    """Of each run which checks hold."""
    env = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ} | {"CHAOS_JSON": str(told)}
    command = [sys.executable, "-m", "tests.chaos", "--short", "--break", *broken]
    ran = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300)
    assert told.exists(), ran.stdout + ran.stderr
    return {run["broken"]: {check["key"]: check["ok"] for check in run["checks"]} for run in map(json.loads, told.read_text().splitlines())}


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> Found:
    return runs(tmp_path_factory.mktemp("chaos") / "found.json", "", *EXPECTED)


def test_nothing_is_lost_and_nothing_doubled(found):
    assert [key for key, ok in found[""].items() if not ok] == []


@pytest.mark.parametrize("broken", EXPECTED)
def test_a_broken_invariant_turns_its_checker_red(found, broken, tmp_path):
    checked = [found[broken]]
    while not seen(checked[-1], broken) and len(checked) < TRIES:
        checked.append(runs(tmp_path / f"{len(checked)}.json", broken)[broken])
    assert seen(checked[-1], broken), checked


def seen(checks: dict[str, bool], broken: str) -> set[str]:
    return {key for key, ok in checks.items() if not ok} & EXPECTED[broken]
