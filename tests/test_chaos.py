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


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> dict[str, dict[str, bool]]:
    """Of each run which checks hold."""
    told = tmp_path_factory.mktemp("chaos") / "found.json"
    env = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ} | {"CHAOS_JSON": str(told)}
    command = [sys.executable, "-m", "tests.chaos", "--short", "--break", "", *EXPECTED]
    ran = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300)
    assert told.exists(), ran.stdout + ran.stderr
    return {run["broken"]: {check["key"]: check["ok"] for check in run["checks"]} for run in map(json.loads, Path(told).read_text().splitlines())}


def test_nothing_is_lost_and_nothing_doubled(found):
    assert [key for key, ok in found[""].items() if not ok] == []


@pytest.mark.parametrize("broken", EXPECTED)
def test_a_broken_invariant_turns_its_checker_red(found, broken):
    red = {key for key, ok in found[broken].items() if not ok}
    assert red & EXPECTED[broken], found[broken]
