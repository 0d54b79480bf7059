"""`create-account`: an account of machines with a key that works, and never in place of another."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.accounts import keys
from functions.accounts.directory import Directory
from functions.shared.accounts.audit import AuditTrail
from functions.shared.accounts.tombstones import Tombstones
from functions.shared.plans import PLANS
from functions.shared.tenancy import TenantId
from local import transactions
from tests.aws_in_memory import create_tables
from tests.operating import operate

ACME, GLOBEX = TenantId("acme"), TenantId("globex")


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    transactions.install()
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_tables(client)
        yield client


def directory(dynamodb: Any) -> Directory:
    return Directory("accounts", "keys", "key-lists", dynamodb)


def test_the_printed_key_is_the_accounts_and_no_other_accounts(
    dynamodb: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    made = {}
    for tenant in (ACME, GLOBEX):
        assert operate("create-account", tenant, "--plan", "managed_30", client=dynamodb) == 0
        output = capsys.readouterr()
        made[tenant] = output.out.strip()
        assert "shown only now" in output.err
        assert keys.well_formed(made[tenant])

    for tenant, text in made.items():
        key = directory(dynamodb).key(keys.hash_of(text))
        account = directory(dynamodb).account(tenant)
        assert key
        assert (key.tenant, key.scopes, key.project_id) == (tenant, {"ingest", "read"}, "default")
        assert key.created_at
        assert account
        assert account.refusal(0) == ""
        plan = PLANS["managed_30"]
        assert account.account_status.retention_days == plan.retention_days
        assert account.account_status.bytes_per_second == plan.bytes_per_second
        (entry,) = AuditTrail("audit", dynamodb).page(tenant, 10).entries
        assert (entry["actor"], entry["action"], entry["subject"]) == ("operator", "account.opened", tenant)


def test_programs_get_json_and_a_key_can_have_other_scopes(
    dynamodb: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("create-account", "acme", "--plan", "byoc", "--scope", "admin", "--project", "web", "--json")
    assert operate(*arguments, client=dynamodb) == 0
    shown = json.loads(capsys.readouterr().out)

    assert (shown["tenant"], shown["plan"]) == ("acme", "byoc")
    key = directory(dynamodb).key(keys.hash_of(shown["key"]))
    assert key
    assert (key.key_id, key.scopes, key.project_id) == (shown["key_id"], {"admin"}, "web")


def test_an_existing_account_and_its_key_stay_as_they_are(
    dynamodb: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert operate("create-account", "acme", "--plan", "managed_30", client=dynamodb) == 0
    before = {table: dynamodb.scan(TableName=table)["Items"] for table in ("accounts", "keys", "audit")}
    capsys.readouterr()
    assert operate("create-account", "acme", "--plan", "byoc", client=dynamodb) == 1

    output = capsys.readouterr()
    assert (output.out, output.err) == ("", "the account acme exists already\n")
    assert {table: dynamodb.scan(TableName=table)["Items"] for table in before} == before


def test_the_id_of_a_deleted_account_is_not_used_again(
    dynamodb: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """What arrives for it would be dropped."""
    Tombstones("tombstones", dynamodb).add(ACME)
    assert operate("create-account", "acme", "--plan", "managed_30", client=dynamodb) == 1
    assert operate("create-account", "globex", "--plan", "managed_30", client=dynamodb) == 0

    assert "was deleted" in capsys.readouterr().err
    assert directory(dynamodb).account(ACME) is None


@pytest.mark.parametrize(
    "arguments", [["Not An Id", "--plan", "byoc"], ["acme", "--plan", "byoc", "--project", "a b"]]
)
def test_what_no_account_can_have_is_rejected(dynamodb: Any, arguments: list[str]) -> None:
    assert operate("create-account", *arguments, client=dynamodb) == 1
    assert dynamodb.scan(TableName="accounts")["Items"] == []
