"""A notice is written once, in a transaction that it never makes fail, and nothing writes over it."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.shared.accounts.notice_outbox import KEEP_DAYS, SETTLED, NoticeOutbox
from functions.shared.tenancy import TenantId
from infra import topology
from local.tables import definition
from tests.aws_environment import set_aws_environment

NOON = 1_800_000_000.0
ACME, GLOBEX = TenantId("acme"), TenantId("globex")


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    set_aws_environment(monkeypatch)
    with mock_aws():
        dynamodb = boto3.client("dynamodb", region_name="us-east-1")
        dynamodb.create_table(**definition(topology.table("notices"), "notices"))
        yield dynamodb


@pytest.fixture
def notices(client: Any) -> NoticeOutbox:
    return NoticeOutbox("notices", client, lambda: NOON)


def item(client: Any, tenant: TenantId, notice_id: str) -> dict[str, Any]:
    key = {"tenant_id": {"S": tenant}, "notice": {"S": notice_id}}
    found: dict[str, Any] = client.get_item(TableName="notices", Key=key).get("Item", {})
    return {name: next(iter(value.values())) for name, value in found.items()}


def due(client: Any, state: str) -> list[str]:
    found = client.query(
        TableName="notices",
        IndexName="due",
        KeyConditionExpression="due = :due",
        ExpressionAttributeValues={":due": {"S": state}},
    )
    return [each["notice"]["S"] for each in found["Items"]]


def test_a_notice_can_be_sent_as_soon_as_it_is_written(client: Any, notices: NoticeOutbox) -> None:
    client.transact_write_items(
        TransactItems=[notices.put_item(ACME, "payment-1", "payment_failed", "Title", "Text")]
    )
    assert item(client, ACME, "payment-1") == {
        "tenant_id": "acme",
        "notice": "payment-1",
        "at": "2027-01-15T08:00:00.000Z",
        "kind": "payment_failed",
        "title": "Title",
        "text": "Text",
        "announce": True,
        "due": "critical",
        "due_at": "2027-01-15T08:00:00.000Z",
        "forget_at": str(int(NOON) + KEEP_DAYS * 86_400),
    }
    assert due(client, "critical") == ["payment-1"]


def test_the_same_again_changes_nothing_and_fails_nothing(client: Any, notices: NoticeOutbox) -> None:
    notices.put(ACME, "payment-1", "payment_failed", "Title", "Text")
    before = item(client, ACME, "payment-1")
    notices.put(ACME, "payment-1", "other", "Another", "Word", announce=False)
    later = NoticeOutbox("notices", client, lambda: NOON + 60)
    client.transact_write_items(TransactItems=[later.put_item(ACME, "payment-1", "other", "Another", "Word")])
    assert item(client, ACME, "payment-1") == before


def test_what_was_sent_is_not_due_again_when_it_is_written_again(client: Any, notices: NoticeOutbox) -> None:
    notices.put(ACME, "payment-1", "payment_failed", "Title", "Text")
    key = {"tenant_id": {"S": ACME}, "notice": {"S": "payment-1"}}
    client.update_item(
        TableName="notices",
        Key=key,
        UpdateExpression="SET due = :settled",
        ExpressionAttributeValues={":settled": {"S": SETTLED}},
    )
    notices.put(ACME, "payment-1", "payment_failed", "Title", "Text")
    assert due(client, "critical") == []


def test_an_id_is_an_accounts_own(client: Any, notices: NoticeOutbox) -> None:
    notices.put(ACME, "trial-ends", "trial", "To acme", "Text")
    notices.put(GLOBEX, "trial-ends", "trial", "To globex", "Text", announce=False)
    assert item(client, ACME, "trial-ends")["title"] == "To acme"
    assert item(client, GLOBEX, "trial-ends")["title"] == "To globex"
    assert item(client, GLOBEX, "trial-ends")["announce"] is False


def test_one_of_many_waits_behind_what_is_critical(client: Any, notices: NoticeOutbox) -> None:
    notices.put(ACME, "c1", "policy", "Title", "Text", effective_on=date(2027, 3, 1), campaign="c1")
    assert due(client, "critical") == []
    assert due(client, "in_turn") == ["c1"]
    assert item(client, ACME, "c1")["effective_on"] == "2027-03-01"
