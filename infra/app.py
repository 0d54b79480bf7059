"""The CDK app: `python -m infra.app` builds outdated zips and writes templates to cdk.out.

Needs no AWS account, Docker or CDK command line. The CDK command line only deploys the result.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from aws_cdk import App, IPolicyValidationPlugin, Validations
from aws_cdk.cx_api import CloudAssembly

from infra import build
from infra.choices import from_context
from infra.compute_stack import ComputeStack
from infra.data_stack import DataStack
from infra.firewall_stack import FirewallStack

FLAGS = {
    "@aws-cdk/aws-iam:minimizePolicies": True,
    "@aws-cdk/aws-lambda:recognizeVersionProps": True,
    "@aws-cdk/core:checkSecretUsage": True,
}
"""Set here because only the command line reads cdk.json: both ways must write the same templates."""


def synthesize(
    zips: Path,
    outdir: Path,
    context: Mapping[str, str] | None = None,
    validations: Sequence[IPolicyValidationPlugin] = (),
) -> CloudAssembly:
    """Write the stacks' templates and assets to `outdir`.

    Account and region stay open: the same templates deploy anywhere. CDK adds the context that its command
    line passes in the environment. `validations` report on the templates in `outdir`.

    Raises
    ------
    ChoiceError: the context contradicts itself.
    RuntimeError: one of `validations` found something; templates and report are written all the same.
    """
    app = App(outdir=str(outdir), analytics_reporting=False, context={**FLAGS, **(context or {})})
    Validations.of(app).add_plugins(*validations)
    choices = from_context(app.node.try_get_context)
    data = DataStack(app, choices.names.data_stack, choices)
    ComputeStack(app, choices.names.compute_stack, data.stores, zips, choices)
    if choices.perimeter.firewall:
        FirewallStack(app, choices.names.stack("Firewall"), choices.perimeter.firewall)
    return app.synth()


if __name__ == "__main__":
    build.build_all()
    synthesize(build.TARGET, Path(os.environ.get("CDK_OUTDIR", build.ROOT / "cdk.out")))
