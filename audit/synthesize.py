"""Synthesize one set of choices under cdk-nag: `python -m audit.synthesize <folder> [<key>=<value> …]`.

A process of its own, so that several sets are synthesized at once. The zips are empty: no rule reads code.
"""

import sys
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from aws_cdk import IPolicyValidationPlugin
from cdk_nag import AwsSolutionsChecks, ServerlessChecks

from infra import topology
from infra.app import synthesize


def nag_packs() -> Sequence[IPolicyValidationPlugin]:
    """The rule packs of cdk-nag that the audit applies."""
    return [AwsSolutionsChecks(), ServerlessChecks()]


def report_findings(synthesize_app: Callable[[], object]) -> None:
    """Synthesize, and leave findings to the report: CDK raises after it wrote templates and report."""
    try:
        synthesize_app()
    except RuntimeError as failure:
        if "ValidationFailed" not in str(failure):
            raise


def synthesize_under_nag(folder: Path, context: Mapping[str, str]) -> None:
    """Write the assembly and cdk-nag's report to `folder`."""
    zips = folder.parent / f"{folder.name}-zips"
    zips.mkdir(parents=True, exist_ok=True)
    for name in {function.folder for function in topology.FUNCTIONS}:
        with zipfile.ZipFile(zips / f"{name}.zip", "w") as archive:
            archive.writestr("placeholder", name)
    report_findings(lambda: synthesize(zips, folder, context, validations=nag_packs()))


if __name__ == "__main__":
    synthesize_under_nag(
        Path(sys.argv[1]), {name: value for name, _, value in (each.partition("=") for each in sys.argv[2:])}
    )
