"""The operator's command line, run against the deployed stacks as its documentation shows."""

import json
import os
import subprocess
import sys
from typing import Any

from local.naming import PROJECT_ROOT
from rehearsal.api_client import expect
from rehearsal.site import Site, aws_variables


def operate(site: Site, *arguments: str) -> Any:
    """Run `python -m operate … --json`; return the last line that it printed, or None for none."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    ended = subprocess.run(
        [sys.executable, "-m", "operate", *arguments, "--json"],
        env={**kept, **aws_variables(site)},
        cwd=PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    expect(ended.returncode == 0, f"operate {arguments[0]} failed: {ended.stderr[-500:]}")
    lines = ended.stdout.splitlines()
    return json.loads(lines[-1]) if lines else None
