"""checkov and cfn-lint over the templates of an assembly, run in the audit's own environment."""

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from audit.assembly import Assembly
from audit.findings import Finding

ROOT = Path(__file__).parents[1]
TOOLS = ROOT / ".venv-audit" / "bin"

SECONDS = 300


class ScannerError(RuntimeError):
    """A scanner did not run to its end; the message is its own."""


def scan(assembly: Assembly) -> list[Finding]:
    """What both scanners find in the templates.

    Raises
    ------
    ScannerError: a scanner is not installed, fails, or cannot read a template.
    """
    return [*_checkov(assembly), *_cfn_lint(assembly)]


def _checkov(assembly: Assembly) -> Iterator[Finding]:
    files = [argument for each in assembly.templates for argument in ("--file", str(each))]
    command = ("checkov", "--framework", "cloudformation", "--output", "json", "--quiet", "--compact")
    # No answer of a server is part of a verdict: neither severities nor guidelines are fetched.
    report = _run([*command, "--skip-download", "--soft-fail", *files])
    if report["summary"]["parsing_errors"]:
        raise ScannerError("checkov cannot read a template")
    stacks = {each.name: stack for each, stack in assembly.templates.items()}
    for check in report["results"]["failed_checks"]:
        stack = stacks[Path(check["file_path"]).name]
        path = assembly.paths[stack, check["resource"].rpartition(".")[2]]
        yield Finding("checkov", check["check_id"], path, check["check_name"])


def _cfn_lint(assembly: Assembly) -> Iterator[Finding]:
    stacks = {str(each): stack for each, stack in assembly.templates.items()}
    for match in _run(["cfn-lint", "--format", "json", "--template", *stacks]):
        stack, where = stacks[match["Filename"]], match["Location"]["Path"] or []
        named = (stack, str(where[1])) if len(where) > 1 else (stack, "")
        path = assembly.paths.get(named, f"/{stack}")
        yield Finding("cfn-lint", match["Rule"]["Id"], path, match["Message"])


def _run(command: Sequence[str]) -> Any:
    """The JSON that the tool prints. Exit codes count findings, so only output says whether it ran."""
    tool = TOOLS / command[0]
    if not tool.exists():
        raise ScannerError(f"{command[0]} is not installed: `make audit` installs it once")
    environment = {**os.environ, "LOG_LEVEL": "ERROR", "AWS_DEFAULT_REGION": "us-east-1"}
    ran = subprocess.run(
        [str(tool), *command[1:]],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        env=environment,
        check=False,
    )
    try:
        return json.loads(ran.stdout)
    except json.JSONDecodeError:
        raise ScannerError(f"{command[0]}: {(ran.stderr or ran.stdout).strip()[-2000:]}") from None
