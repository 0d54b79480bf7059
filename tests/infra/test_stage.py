"""Several installations in one AWS account and region: no name of one is a name of another."""

import re
from pathlib import Path
from typing import Any

import pytest

from functions.shared import journal
from infra.choices import ChoiceError, from_context
from infra.topology import BUCKETS, FUNCTIONS, SECRETS, SIGNALS, StageNames
from tests.infra.synthesized import Templates

PHYSICAL = re.compile(
    r"(?:Bucket|Table|Queue|Topic|Function|Role|LogGroup|UserPool|Schedule)Name|Name|AliasName"
)
WITHIN_AN_API = "AWS::ApiGatewayV2::Authorizer"
"""Its name is unique in its API only."""

LONGEST_BUCKET = 63
RANDOM_CHARACTERS = 12
LONGEST_STAGE = "a" * 12


def fixed_names(template: dict[str, Any]) -> set[tuple[str, str]]:
    """Type and name of each resource whose name the template sets."""
    return {
        (each["Type"], value)
        for each in template["Resources"].values()
        if each["Type"] != WITHIN_AN_API
        for name, value in each.get("Properties", {}).items()
        if PHYSICAL.fullmatch(name) and isinstance(value, str)
    }


def exported(templates: Templates) -> set[str]:
    return {each["Export"]["Name"] for each in templates.data["Outputs"].values() if "Export" in each}


def secrets_of(templates: Templates) -> set[str]:
    return {templates.data["Outputs"][f"{name.title()}Secret"]["Value"] for name in SECRETS}


def test_two_stages_share_no_name(staged: dict[str, Templates]) -> None:
    default, prod, test = staged.values()

    for one, other in ((default, prod), (prod, test)):
        names, others = (fixed_names(each.data) | fixed_names(each.compute) for each in (one, other))
        assert names & others == set()
        assert exported(one) & exported(other) == set()
        assert secrets_of(one) & secrets_of(other) == set()


def test_the_default_stage_keeps_the_names_of_installations_without_one(templates: Templates) -> None:
    names = StageNames()

    assert (names.data_stack, names.compute_stack) == ("AstraLogData", "AstraLogCompute")
    assert secrets_of(templates) == {f"astralog/{name}" for name in SECRETS}
    assert fixed_names(templates.data) == set(), "CloudFormation names what holds data"
    for function in templates.properties("AWS::Lambda::Function"):
        variables = function.get("Environment", {}).get("Variables", {})
        assert "ASTRALOG_METRICS_NAMESPACE" not in variables


def test_the_queues_of_a_stage_accept_notifications_of_its_own_buckets_only(
    staged: dict[str, Templates],
) -> None:
    patterns = {stage: _allowed_buckets(each.data) for stage, each in staged.items()}

    for stage, allowed in patterns.items():
        own = StageNames(stage).data_stack.lower()
        for other in {*staged, "dropbucket", "data"} - {stage}:
            stack = StageNames(other).data_stack.lower()
            names = [f"{stack}-{bucket.name}bucket0000000-x" for bucket in BUCKETS]
            assert not [name for name in names for each in allowed if name.startswith(each)]
        assert allowed == {f"{own}-stagingbucket", f"{own}-dropbucket"}


def _allowed_buckets(template: dict[str, Any]) -> set[str]:
    """Prefixes of bucket names."""
    arns = re.findall(r":s3:::([a-z0-9-]+)\*", str(template["Resources"]))
    return set(arns)


def test_cloudformation_need_not_cut_the_name_of_a_bucket(templates: Templates) -> None:
    """The queue's policy allows the buckets by the beginning of their names."""
    ids = templates.resources("AWS::S3::Bucket")
    stack = StageNames(LONGEST_STAGE).data_stack

    assert max(len(f"{stack}-{each}-") + RANDOM_CHARACTERS for each in ids) <= LONGEST_BUCKET


def test_the_metrics_and_the_alarms_of_a_stage_have_a_namespace_of_their_own(
    staged: dict[str, Templates], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    prod = staged["prod"]
    variables = {
        each["Handler"]: each["Environment"]["Variables"]["ASTRALOG_METRICS_NAMESPACE"]
        for each in prod.properties("AWS::Lambda::Function")
        if "Environment" in each
    }
    assert set(variables.values()) == {"AstraLog/prod"}
    assert variables.keys() >= {each.handler for each in FUNCTIONS}
    for signal in SIGNALS:
        assert signal.metric in str(prod.compute)
    assert "AstraLog/prod" in str(prod.resources("AWS::CloudWatch::Alarm"))
    assert "'AstraLog'" not in str(prod.resources("AWS::CloudWatch::Alarm"))

    monkeypatch.setenv("ASTRALOG_METRICS_NAMESPACE", "AstraLog/prod")
    journal.LightWriter().measure("sync", {"LoadedRows": (1, "Count")}, {})
    assert '"Namespace":"AstraLog/prod"' in capsys.readouterr().out


@pytest.mark.parametrize("stage", ["Prod", "1st", "a-b", "a" * 13, "ünder", "a b"])
def test_a_stage_that_would_not_fit_into_a_name_is_rejected(stage: str) -> None:
    with pytest.raises(ChoiceError, match="stage"):
        from_context({"stage": stage}.get)


def test_a_secret_of_a_stage_can_still_be_named_freely() -> None:
    choices = from_context({"stage": "prod", "search_secret": "shared/search"}.get)

    assert choices.secret_names == {
        "warehouse": "astralog/prod/warehouse",
        "search": "shared/search",
        "stripe": "astralog/prod/stripe",
    }


def test_the_page_names_the_stacks_and_secrets_of_a_stage() -> None:
    page = Path("docs/deployment.md").read_text()

    names = StageNames("test")
    assert names.data_stack in page
    assert names.secret("warehouse") in page
