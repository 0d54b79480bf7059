"""The audit trail is append-only: what is in it stays as it was written, by whichever way one writes."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.shared.accounts import audit as audit_module
from functions.shared.accounts.audit import AuditTrail, Origin
from functions.shared.tables.store_errors import ConditionFailedError, StoreUnavailableError
from functions.shared.tables.transaction import write_all
from functions.shared.tenancy import TenantId
from infra.topology import FUNCTIONS, table
from local.tables import definition
from tests.aws_environment import set_aws_environment

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
OWNER = Origin("person:owner", "192.0.2.1", "browser")
THIEF = Origin("key:stolen", "203.0.113.9", "curl")
SAME = "01jd0000000000000000000000"
"""The id that two entries are given, as a writer would who wants to replace the first."""


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    set_aws_environment(monkeypatch)
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
    with pytest.raises(StoreUnavailableError):
        audit.append(ACME, THIEF, "nothing.happened", "key_1")
    assert untouched(audit)


def test_nor_in_a_transaction_of_which_then_nothing_takes_place(audit: AuditTrail, dynamodb: Any) -> None:
    change = {"Put": {"TableName": "accounts", "Item": {"tenant_id": {"S": "acme"}}}}
    with pytest.raises(ConditionFailedError):
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
    assert source.count("_NEW = AuditItem.entry.does_not_exist()") == 1
    calls = re.findall(r"self\._table\.(\w+)\((.*)\)", source)
    assert {name for name, _ in calls} == {"put", "write_of_put", "page"}
    assert all(arguments.endswith(", _NEW") for name, arguments in calls if "put" in name)
    modules = [path for path in Path("functions").rglob("*.py") if "AuditItem" in path.read_text()]
    assert {path.name for path in modules} == {"audit.py"}
