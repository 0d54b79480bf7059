"""The crash matrix in short: every step with every way back, once."""

import json
import subprocess
import sys

from tests.crash.matrix import CONTROLS_FAIL_AT_LEAST


def test_nothing_is_lost_or_doubled_wherever_sync_dies() -> None:
    """In a process of its own: the engine wants one, and moto must not see the other tests."""
    command = [sys.executable, "-m", "tests.crash", "--seeds", "1", "--control-seeds", "1", "--json"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    report = json.loads(finished.stdout)
    assert report["total"]["runs"] == 190
    assert report["total"]["unclean"] == 0, report["total"]
    assert report["total"]["crashed"] == 190, "a step was never reached"
    for name, tally in report["controls"].items():
        assert tally["unclean"] / tally["runs"] >= CONTROLS_FAIL_AT_LEAST, name
    assert finished.returncode == 0
