"""Every command finds its installation by itself, and a wrong environment is one clear sentence."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, is_dataclass
from pathlib import Path

import pytest
from botocore.stub import Stubber

from infra.topology import OUTPUTS, StageNames
from operate.__main__ import main
from operate.access import open_client
from operate.command_line import COMMANDS, parser
from operate.console import Console
from operate.errors import OperatorError
from operate.installation import Installation
from operate.session import Session
from tests.operating import NAMES

KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
NOWHERE = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "PATH": os.environ["PATH"],
}


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "operate", *arguments],
        env={**NOWHERE, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_without_a_region_the_error_says_how_to_set_one() -> None:
    ran = run("sync-catalogue", "--dry-run", **KEYS)

    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr.startswith("No AWS region is set. Add --region")
    assert "Traceback" not in ran.stderr


def test_without_credentials_the_error_says_how_to_set_them() -> None:
    ran = run("--region", "eu-central-1", "outputs")

    assert (ran.returncode, ran.stderr.startswith("No AWS credentials were found.")) == (1, True)


def test_an_endpoint_that_does_not_answer_is_named() -> None:
    ran = run("outputs", "--region", "eu-central-1", "--endpoint-url", "http://127.0.0.1:9", **KEYS)

    assert ran.returncode == 1
    assert ran.stderr.startswith("AWS does not answer: ")
    assert "http://127.0.0.1:9" in ran.stderr


def test_a_profile_of_the_aws_command_line_is_enough(tmp_path: Path) -> None:
    """obstore and pynamodb read variables only: they get the profile's region and credentials, too."""
    (tmp_path / "config").write_text("[profile ops]\nregion = eu-west-3\n")
    (tmp_path / "credentials").write_text("[ops]\naws_access_key_id = a\naws_secret_access_key = b\n")
    found = subprocess.run(
        [
            sys.executable, "-c",
            "import json, os\nfrom operate.access import use_aws\nuse_aws(None, None)\n"
            "print(json.dumps({n: os.environ[n] for n in ('AWS_REGION', 'AWS_ACCESS_KEY_ID')}))",
        ],
        env={
            **NOWHERE,
            "AWS_PROFILE": "ops",
            "AWS_CONFIG_FILE": str(tmp_path / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        },
        capture_output=True,
        text=True,
        check=True,
    )  # fmt: skip
    assert json.loads(found.stdout) == {"AWS_REGION": "eu-west-3", "AWS_ACCESS_KEY_ID": "a"}


def test_a_stage_of_another_form_is_rejected() -> None:
    ran = run("outputs", "--stage", "Prod", "--region", "eu-central-1", **KEYS)

    assert (ran.returncode, ran.stderr.startswith("--stage: ")) == (1, True)


def test_options_may_be_before_or_after_the_command() -> None:
    before = parser().parse_args(["--stage", "prod", "--json", "show-usage", "acme"])
    after = parser().parse_args(["show-usage", "acme", "--json", "--stage", "prod"])

    assert vars(before) == vars(after)
    assert (before.stage, before.json, before.yes, before.region) == ("prod", True, False, None)


@pytest.mark.parametrize("name", [each.name for each in COMMANDS])
def test_every_command_has_a_help_text(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    shown = capsys.readouterr().out

    assert ended.value.code == 0
    assert f"python -m operate {name}" in shown
    assert "--stage" in shown
    assert len(shown.splitlines()) > 12


@pytest.fixture
def cloudformation(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    for name, value in {**KEYS, "AWS_DEFAULT_REGION": "eu-central-1"}.items():
        monkeypatch.setenv(name, value)
    with Stubber(open_client("cloudformation")) as stubber:
        yield stubber


def installation(stubber: Stubber, stage: str = "", **replaced: str) -> Installation:
    return Installation(StageNames(stage), "eu-central-1", stubber.client, replaced)


def described(name: str, outputs: dict[str, str]) -> dict[str, object]:
    listed = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
    listed.append({"OutputKey": "ExportsOutputRef1", "OutputValue": "x", "ExportName": f"{name}:1"})
    when = "2026-11-29T00:00:00Z"
    return {
        "Stacks": [
            {"StackName": name, "CreationTime": when, "StackStatus": "CREATE_COMPLETE", "Outputs": listed}
        ]
    }


def test_a_setting_is_the_output_of_its_name_and_each_table_has_one(cloudformation: Stubber) -> None:
    cloudformation.add_response(
        "describe_stacks", described("AstraLog-prod-Data", NAMES), {"StackName": "AstraLog-prod-Data"}
    )
    here = installation(cloudformation, "prod")
    session = Session(here, Console())

    assert here.outputs == NAMES
    assert here.outputs.keys() == OUTPUTS.keys()
    modules = {sys.modules[each.run.__module__] for each in COMMANDS}
    kinds = [kind for module in modules for kind in vars(module).values() if _is_settings(kind)]
    assert len(kinds) >= 7
    for kind in kinds:
        found = asdict(session.settings(kind))
        for name in found.keys() - {"stripe_url"}:
            assert found[name] == name.rpartition("_")[0].replace("_", "-")


def _is_settings(kind: object) -> bool:
    """Whether it is a dataclass of names that a command asks the installation for."""
    ours = isinstance(kind, type) and is_dataclass(kind) and kind.__module__.startswith("operate.")
    return ours and kind.__name__.endswith(("Settings", "Tables"))


def test_a_stack_that_is_not_there_is_named_with_what_to_check(cloudformation: Stubber) -> None:
    cloudformation.add_client_error(
        "describe_stacks", "ValidationError", "Stack with id AstraLog-prod-Data does not exist"
    )
    with pytest.raises(OperatorError, match="no stack AstraLog-prod-Data in eu-central-1"):
        _ = installation(cloudformation, "prod").outputs


def test_an_older_installation_without_an_output_is_recognised(cloudformation: Stubber) -> None:
    cloudformation.add_response("describe_stacks", described("AstraLogData", {"UsageTable": "u"}))
    here = installation(cloudformation)

    assert here.output("UsageTable") == "u"
    with pytest.raises(OperatorError, match="no output StagingBucket: an older version"):
        here.output("StagingBucket")


def test_a_restored_table_takes_the_place_of_the_stacks(cloudformation: Stubber) -> None:
    cloudformation.add_response("describe_stacks", described("AstraLogData", NAMES))
    here = installation(cloudformation, UsageTable="usage-restored")

    assert here.output("UsageTable") == "usage-restored"
    assert here.output("AccountsTable") == "accounts"


def test_an_output_that_no_stack_has_is_rejected(cloudformation: Stubber) -> None:
    cloudformation.add_response("describe_stacks", described("AstraLogData", NAMES))
    with pytest.raises(OperatorError, match="--output: the stack AstraLogData has no output Usage"):
        installation(cloudformation, Usage="usage-restored").output("UsageTable")
    ran = run("show-usage", "acme", "--output", "UsageTable", "--region", "eu-central-1", **KEYS)
    assert (ran.returncode, ran.stderr) == (1, "--output must be NAME=VALUE, not 'UsageTable'.\n")


def test_credentials_that_aws_rejects_are_reported_with_its_reason(cloudformation: Stubber) -> None:
    cloudformation.add_client_error("describe_stacks", "ExpiredToken", "The security token is expired")
    with pytest.raises(OperatorError, match="ExpiredToken: The security token is expired"):
        _ = installation(cloudformation).outputs
