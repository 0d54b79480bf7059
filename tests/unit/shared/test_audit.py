"""The audit trail is append-only: what is in it stays as it was written, by whichever way one writes."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.shared.accounts import audit as audit_module
from functions.shared.accounts.audit import AuditTrail, AuditUnavailableError, Origin
from functions.shared.dynamo.transaction import UnmetError, write_all
from functions.shared.tenancy import TenantId
from infra.topology import FUNCTIONS, table
from local.tables import definition

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
OWNER = Origin("person:owner", "192.0.2.1", "browser")
THIEF = Origin("key:stolen", "203.0.113.9", "curl")
SAME = "01jd0000000000000000000000"
"""The id that two entries are given, as a writer would who wants to replace the first."""


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "tests")
    monkeypatch.setattr(audit_module, "time_ordered_id", lambda _ms: SAME)
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        client.create_table(**definition(table("audit"), "audit"))
        client.create_table(**definition(table("accounts"), "accounts"))
        yield client


@pytest.fixture
def audit(dynamodb: Any) -> AuditTrail:
    audit = AuditTrail("audit", dynamodb)
    audit.append(ACME, OWNER, "key.created", "key_1")
    audit.append(GLOBEX, OWNER, "key.created", "key_2")
    return audit


def untouched(audit: AuditTrail) -> bool:
    entries = [audit.page(tenant, 10).entries for tenant in (ACME, GLOBEX)]
    return [[(each["action"], each["actor"]) for each in page] for page in entries] == [
        [("key.created", "person:owner")]
    ] * 2


def test_an_entry_is_not_overwritten_by_another_of_its_id(audit: AuditTrail) -> None:
    with pytest.raises(AuditUnavailableError):
        audit.append(ACME, THIEF, "nothing.happened", "key_1")
    assert untouched(audit)


def test_nor_in_a_transaction_of_which_then_nothing_takes_place(audit: AuditTrail, dynamodb: Any) -> None:
    change = {"Put": {"TableName": "accounts", "Item": {"tenant_id": {"S": "acme"}}}}
    with pytest.raises(UnmetError):
        write_all(dynamodb, [change, audit.entry(ACME, THIEF, "nothing.happened", "key_1")])
    assert untouched(audit)
    assert dynamodb.scan(TableName="accounts")["Items"] == []


def test_every_function_that_may_write_an_entry_does_so_with_the_one_condition() -> None:
    """IAM cannot see a condition: so there is one module that writes the trail, and it puts the condition."""
    writers = {spec.folder for spec in FUNCTIONS if "append:table:audit" in spec.grants}
    named = {
        (path.as_posix(), line.strip())
        for folder in (*writers, "shared")
        for path in Path("functions", folder).rglob("*.py")
        for line in path.read_text().splitlines()
        if "audit_table" in line and not re.fullmatch(r"\s*audit_table: str", line)
    }
    assert named
    assert [each for each in named if "AuditTrail(settings.audit_table" not in each[1]] == []
    source = Path(audit_module.__file__).read_text()
    assert source.count('"ConditionExpression": "attribute_not_exists(entry)"') == 1
    assert not re.search(r"update_item|delete_item|batch_write|\"Update\"|\"Delete\"", source)
