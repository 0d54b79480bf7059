"""`put-secret`: a value that the functions could not read is rejected before it is stored."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.billing.stripe_secret import stripe_secret
from functions.shared.clickhouse_address import ClickHouseAddress
from infra.topology import SECRETS, StageNames
from operate.__main__ import main
from operate.console import Console
from operate.installation import Installation
from operate.session import Session
from tests.operating import operate

ADDRESS = {
    "host": "clickhouse.example.org", "port": 8443, "secure": True, "user": "astralog",
    "password": "first-password", "database": "astralog",
}  # fmt: skip
STRIPE = {"api_key": "rk_first", "webhook_secret": "whsec_first"}


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        yield boto3.client("secretsmanager")


class NotDeployed(Installation):
    """Before the first deployment."""

    def stack(self, _name: str) -> None:
        return None


def before_deployment(*arguments: str, stage: str = "") -> int:
    return main(
        arguments, lambda _asked: Session(NotDeployed(StageNames(stage), "us-east-1", None), Console())
    )


def file_of(tmp_path: Path, value: object) -> str:
    file = tmp_path / "secret.json"
    file.write_text(value if isinstance(value, str) else json.dumps(value))
    return str(file)


@pytest.mark.parametrize("stage", ["", "prod"])
def test_before_the_first_deployment_it_has_the_name_that_the_stage_will_read(
    secrets: Any, tmp_path: Path, stage: str
) -> None:
    for name in SECRETS:
        value = STRIPE if name == "stripe" else ADDRESS
        assert before_deployment("put-secret", name, "--file", file_of(tmp_path, value), stage=stage) == 0

    stored = {each["Name"] for each in secrets.list_secrets()["SecretList"]}
    assert stored == {StageNames(stage).secret(name) for name in SECRETS}


def test_a_new_value_replaces_the_old_one_under_the_deployed_name(
    secrets: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for password in ("first-password", "second-password"):
        file = file_of(tmp_path, {**ADDRESS, "password": password})
        assert operate("put-secret", "warehouse", "--file", file, WarehouseSecret="ours/warehouse") == 0

    output = capsys.readouterr()
    assert output.out == "created ours/warehouse\nreplaced ours/warehouse\n"
    assert "password" not in output.out + output.err
    value = secrets.get_secret_value(SecretId="ours/warehouse")["SecretString"]
    assert ClickHouseAddress.from_json(value).password.reveal() == "second-password"


@pytest.mark.parametrize(
    ("secret", "value"),
    [
        ("warehouse", "{"),
        ("warehouse", {**ADDRESS, "hots": "x"}),
        ("search", {name: value for name, value in ADDRESS.items() if name != "password"}),
        ("stripe", ADDRESS),
        ("stripe", {**STRIPE, "api_key": " "}),
    ],
    ids=["no JSON", "an unknown field", "no password", "another secret's value", "an empty key"],
)
def test_a_value_that_no_function_could_read_is_not_stored(
    secrets: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], secret: str, value: object
) -> None:
    assert before_deployment("put-secret", secret, "--file", file_of(tmp_path, value)) == 1

    assert secrets.list_secrets()["SecretList"] == []
    assert "first-password" not in capsys.readouterr().err


def test_a_file_that_is_not_there_is_named(secrets: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert before_deployment("put-secret", "stripe", "--file", "/does/not/exist") == 1

    assert capsys.readouterr().err.startswith("/does/not/exist cannot be read")
    assert secrets.list_secrets()["SecretList"] == []
    assert stripe_secret(json.dumps(STRIPE)).api_key.reveal() == "rk_first"
