"""Records about all accounts that name one are deleted with it; records of others, or of none, stay."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.billing.reconciliation.differences import BytesDiffer, ReconciliationResult, RowsDiffer
from functions.billing.usage.usage_store import UsageStore
from functions.notices.campaigns import Campaigns
from functions.privacy.erasure.mentions import Mentions
from functions.privacy.inventory_tables import InventoryTables
from functions.shared.tenancy import TenantId
from infra.topology import table
from local import transactions
from local.tables import definition

ACME, GLOBEX = TenantId("acme"), TenantId("acme-2")
FIRST = date(2026, 11, 1)


@pytest.fixture
def client() -> Iterator[Any]:
    transactions.install()
    with mock_aws():
        made = boto3.client("dynamodb", region_name="us-east-1")
        for name in ("notices", "usage"):
            made.create_table(**definition(table(name), name))
        yield made


def put_reconciliation(
    client: Any, day: int, rows_differ: TenantId | None = None, bytes_differ: TenantId | None = None
) -> None:
    result = ReconciliationResult(
        FIRST, date(2026, 11, day), 1, 1, 1, 1, 1,
        (RowsDiffer(rows_differ, FIRST, 2, 1),) if rows_differ else (),
        (BytesDiffer(bytes_differ, 2, 1),) if bytes_differ else (),
    )  # fmt: skip
    UsageStore("usage", client).put_reconciliation(result.last, json.dumps(result.as_json()))


def stored_text(client: Any) -> str:
    return repr([client.scan(TableName=name)["Items"] for name in ("notices", "usage")])


def test_a_message_to_an_account_and_a_report_that_names_it_go_with_it(client: Any) -> None:
    campaigns = Campaigns("notices", client, lambda: 1_800_000_000.0)
    for audience in (f"tenant={ACME}", f"tenant={GLOBEX}", "all", "plan=byoc"):
        campaigns.draft("service", "Title", "Dear Jane", audience, None)
    put_reconciliation(client, 7, rows_differ=ACME)
    put_reconciliation(client, 8, rows_differ=GLOBEX, bytes_differ=ACME)
    put_reconciliation(client, 9, bytes_differ=GLOBEX)
    put_reconciliation(client, 10)
    place = Mentions(InventoryTables({"notices": "notices", "usage": "usage"}, client), ACME)
    assert place.count() == 3
    place.remove()

    assert place.count() == 0
    assert sorted(each.audience for each in campaigns.all()) == ["all", "plan=byoc", f"tenant={GLOBEX}"]
    days = [item["entry"]["S"] for item in client.scan(TableName="usage")["Items"]]
    assert sorted(days) == ["reconciled#2026-11-09", "reconciled#2026-11-10"]
    assert f"'{ACME}'" not in stored_text(client)
