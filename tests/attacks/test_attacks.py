"""Hostile templates stay in the sandbox and within bounds of time, memory and output."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.attacks.corpus import ESCAPES, FLOODS

pytest.importorskip("jinja2")

ROOT = Path(__file__).parents[2]
SECRET = "a value that only the process knows"
LEAKS = (SECRET, "<class", "<module", "__", "root:", "subclass", "object at")
SECONDS = 10.0  # Limits(seconds=1.0), compiling, and room for a busy machine
MEGABYTES = 300  # a bare process takes 25


@pytest.fixture(scope="module")
def outcomes():
    """What came of each template, rendered in a process that may not take more than 2 GB."""
    made = subprocess.run(
        [sys.executable, "-m", "tests.attacks.run"],
        cwd=ROOT,
        env={**os.environ, "SECRET": SECRET, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        timeout=300,
        check=True,
    )
    return {(row["kind"], row["name"]): row for row in map(json.loads, made.stdout.splitlines())}


@pytest.mark.parametrize("name", ESCAPES)
def test_escapes_show_nothing(outcomes, name):
    outcome = outcomes["escape", name]

    assert "escaped" not in outcome
    assert not any(leak in outcome.get("text", "") for leak in LEAKS), outcome


@pytest.mark.parametrize("name", FLOODS)
def test_floods_are_stopped(outcomes, name):
    outcome = outcomes["flood", name]

    assert "error" in outcome, outcome
    assert outcome["seconds"] < SECONDS


def test_memory_stays_bounded(outcomes):
    assert max(outcome["peak_mb"] for outcome in outcomes.values()) < MEGABYTES
