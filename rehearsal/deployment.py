"""Deploy as an operator does: zips, templates, secrets, `cdk bootstrap`, `cdk deploy --all`."""

import json
import os
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.build import Platform, build_all
from local.naming import PROJECT_ROOT
from rehearsal.site import ACCOUNT, MAIL_FROM, VENV, Site, aws_variables
from rehearsal.substitutions import Template, substitute

MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
"""This machine's own name of its architecture -> Lambda's."""

CHOICES: Mapping[str, str] = {
    "mail_from": MAIL_FROM,
    "lambda_concurrency": "1000",
    # The customer's bucket is in the same account here; its notifications pass the same policy.
    "customers_accounts": ACCOUNT,
    # All requests come from one address, and response times need not hide which accounts exist.
    "attempts_an_address": "1000",
    "min_response_ms": "50",
    # An account is closed at once instead of after a week, a quarter of an hour and an hour.
    "cancel_days": "0",
    "closing_loading_seconds": "1",
    "closing_invoice_seconds": "1",
    "docs_address": "https://docs.rehearsal.example",
}
"""The operator's choices (docs/deployment.md), all of them offered to any operator."""

Edit = Callable[[str, Template], None]
"""Changes a stack's template in place; gets the stack's name."""


class DeploymentError(Exception):
    """A step failed; the message has the end of its output."""


@dataclass(frozen=True, slots=True)
class Assembly:
    """Synthesized templates. `resources`: stack -> number of resources. `substituted`: changed settings."""

    stacks: tuple[str, ...]
    resources: dict[str, int]
    substituted: list[str]


def this_platform() -> Platform:
    """This machine's architecture, and the version of the emulator's Python."""
    shown = _run(
        [str(VENV / "bin" / "python"), "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], os.environ
    )
    return Platform(MACHINES[os.uname().machine.lower()], shown.strip())


def build_zips() -> tuple[Path, int]:
    """Bring the zips for this machine up to date; their folder, and how many had to be built."""
    platform = this_platform()
    zips = build_all(platform=platform)
    return platform.folder, sum(each.made for each in zips)


def synthesize_for(site: Site, zips: Path, edits: Sequence[Edit] = ()) -> Assembly:
    """Write the assembly to `site.assembly`, with the substitutions and then `edits`."""
    from infra.app import synthesize  # CDK takes seconds to import: only where it is used

    assembly = synthesize(zips, site.assembly, CHOICES)
    names, resources, substituted = [], {}, set()
    for stack in assembly.stacks:
        file = Path(assembly.directory) / stack.template_file
        template: dict[str, Any] = json.loads(file.read_text())
        substituted.update(substitute(template, site))
        for edit in edits:
            edit(stack.stack_name, template)
        file.write_text(json.dumps(template, indent=1))
        names.append(stack.stack_name)
        resources[stack.stack_name] = len(template["Resources"])
    return Assembly(tuple(names), resources, sorted(substituted))


def bootstrap(site: Site) -> None:
    """`cdk bootstrap`, from a clone without node_modules too.

    Raises
    ------
    DeploymentError: it failed.
    """
    environment = _environment(site)
    if not (PROJECT_ROOT / "node_modules" / ".bin" / "cdk").exists():
        _run(["npm", "ci"], environment)
    _run(_cdk(site, "bootstrap"), environment)


def deploy(site: Site) -> str:
    """`cdk deploy --all`; its output.

    Raises
    ------
    DeploymentError: it failed.
    """
    command = _cdk(site, "deploy", "--all", "--require-approval", "never", "--progress", "events")
    return _run(command, _environment(site))


def _cdk(site: Site, *arguments: str) -> list[str]:
    return ["npx", "cdk", "--app", str(site.assembly), "--no-color", *arguments]


def _environment(site: Site) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return {**kept, **aws_variables(site), "CI": "true", "NO_COLOR": "1"}


def _run(command: Sequence[str], environment: Mapping[str, str]) -> str:
    ended = subprocess.run(
        command,
        env=dict(environment),
        cwd=PROJECT_ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise DeploymentError(f"{' '.join(command)} failed:\n{_reason(ended.stdout + ended.stderr)}")
    return ended.stdout + ended.stderr


def _reason(output: str) -> str:
    """The lines that name a failure, or else the last ones."""
    lines = output.splitlines()
    named = [line for line in lines if re.search(r"FAILED|❌|[Ee]rror", line)]
    return "\n".join((named or lines)[-15:])
