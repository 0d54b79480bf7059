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
    lines = all_of(site, *arguments)
    return lines[-1] if lines else None


def all_of(site: Site, *arguments: str) -> list[Any]:
    """Run `python -m operate … --json`; return all lines that it printed."""
    ended = subprocess.run(
        [sys.executable, "-m", "operate", *arguments, "--json"],
        env=operators_environment(site),
        cwd=PROJECT_ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    expect(ended.returncode == 0, f"operate {arguments[0]} failed: {ended.stderr[-500:]}")
    return [json.loads(line) for line in ended.stdout.splitlines()]


def operators_environment(site: Site) -> dict[str, str]:
    """Variables of an operator's command: credentials and region, as for the AWS CLI."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**kept, **aws_variables(site)}
