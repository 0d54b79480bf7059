"""Each scanner finds the faults of a template made to have them: the audit can fail.

The scanners run in .venv-audit, which `make test` and `make audit` set up.
"""

from pathlib import Path

import pytest

from audit.assembly import Assembly
from audit.findings import Finding, judge
from audit.scanners import scan


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    from aws_cdk import App, Validations  # CDK takes seconds to import: only where it is used

    from audit.synthesize import nag_packs, report_findings
    from infra.accepted import accept
    from tests.audit.faulty_stack import FaultyStack

    folder = tmp_path_factory.mktemp("faulty")
    app = App(outdir=str(folder), analytics_reporting=False)
    accept(FaultyStack(app).queue, "CKV_AWS_27", reason="A reason for this one and no other.")
    Validations.of(app).add_plugins(*nag_packs())
    report_findings(app.synth)
    return Assembly(Path(folder))


@pytest.fixture(scope="module")
def found(faulty: Assembly) -> list[Finding]:
    return [*faulty.nag_findings(), *scan(faulty)]


@pytest.mark.parametrize(
    ("tool", "rule", "construct"),
    [
        ("cdk-nag", "AwsSolutions-S10", "open-bucket"),
        ("cdk-nag", "AwsSolutions-IAM5[Action::*]", "any-role"),
        ("cdk-nag", "AwsSolutions-SQS4", "plain-queue"),
        ("checkov", "CKV_AWS_53", "open-bucket"),
        ("checkov", "CKV_AWS_27", "plain-queue"),
        ("checkov", "CKV_AWS_107", "any-role"),
        ("cfn-lint", "E3002", "misspelt"),
    ],
)
def test_a_fault_is_found_on_its_construct(
    found: list[Finding], tool: str, rule: str, construct: str
) -> None:
    assert [
        each
        for each in found
        if (each.tool, each.rule) == (tool, rule) and f"/Faulty/{construct}" in each.path
    ]


def test_a_reason_beside_one_construct_accepts_its_finding_and_no_other(
    faulty: Assembly, found: list[Finding]
) -> None:
    verdict = judge(found, faulty.acceptances())

    assert [(each.rule, each.path) for findings in verdict.accepted.values() for each in findings] == [
        ("CKV_AWS_27", "/Faulty/plain-queue/Resource")
    ]
    assert ("CKV_AWS_27", "/Faulty/misspelt") in [(each.rule, each.path) for each in verdict.open]
    assert verdict.unused == []
