"""The operator's command line against the emulator."""

import subprocess
import sys

from local.naming import PROJECT_ROOT
from rehearsal.api_client import expect
from rehearsal.scenarios.plans import operators_environment
from rehearsal.site import Site


def operate(site: Site, *arguments: str) -> str:
    """What `python -m operate` prints on standard output.

    Raises
    ------
    RehearsalError: it failed.
    """
    ended = subprocess.run(
        [sys.executable, "-m", "operate", *arguments],
        env=operators_environment(site),
        cwd=PROJECT_ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    expect(ended.returncode == 0, f"operate {arguments[0]} failed: {ended.stderr[-500:]}")
    return ended.stdout
