"""An account's items in each table, page by page, however they are found; and of no other account."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.privacy.data_inventory import DATA_INVENTORY
from functions.privacy.inventory_entry import ATTRIBUTE, InventoryEntry
from functions.privacy.inventory_tables import InventoryTables
from functions.shared.tenancy import (
    TenantId,
    own_destination,
    own_drops,
    own_export_reads,
    own_searches,
    own_staging,
    own_tail_reads,
    own_tails,
)
from local import transactions
from tests.aws_in_memory import create_tables

ACME, GLOBEX = TenantId("acme"), TenantId("acme-2")


@pytest.fixture
def client() -> Iterator[Any]:
    transactions.install()
    with mock_aws():
        made = boto3.client("dynamodb", region_name="us-east-1")
        create_tables(made)
        yield made


def put(client: Any, holding: InventoryEntry, tenant: TenantId, count: int, padding: int = 0) -> None:
    for number in range(count):
        for name in holding.named(tenant) if holding.found != ATTRIBUTE else [f"{tenant}-{number}"]:
            item = {holding.key[0]: {"S": name}, "tenant_id": {"S": str(tenant)}, "x": {"S": "x" * padding}}
            if len(holding.key) > 1:
                item[holding.key[1]] = {"S": f"{number:05}"}
            client.put_item(TableName=holding.table, Item=item)


@pytest.mark.parametrize("holding", DATA_INVENTORY, ids=lambda each: each.table)
def test_an_accounts_items_are_found_and_removed_and_another_accounts_stay(
    client: Any, holding: InventoryEntry
) -> None:
    tables = InventoryTables({each.table: each.table for each in DATA_INVENTORY}, client)
    put(client, holding, ACME, 3)
    put(client, holding, GLOBEX, 3)
    theirs = list(tables.keys(holding, GLOBEX))
    found = list(tables.keys(holding, ACME))
    tables.remove(holding, found)

    assert len(found) == len(theirs) >= 1
    assert list(tables.keys(holding, ACME)) == []
    assert list(tables.keys(holding, GLOBEX)) == theirs


def test_more_than_a_page_and_more_than_a_call_takes(client: Any) -> None:
    """A query gives 1 MB at the most, a transaction takes 100 items."""
    tables = InventoryTables({each.table: each.table for each in DATA_INVENTORY}, client)
    audit = next(each for each in DATA_INVENTORY if each.table == "audit")
    put(client, audit, ACME, 230, padding=10_000)
    assert tables.page(audit, ACME).after is not None
    tables.remove(audit, list(tables.keys(audit, ACME)))

    assert list(tables.keys(audit, ACME)) == []


def test_how_a_customers_cloud_fares_is_held_under_four_names(client: Any) -> None:
    """As rows are loaded into it, files are read from it, it is searched, and logs are staged into it."""
    tables = InventoryTables({each.table: each.table for each in DATA_INVENTORY}, client)
    health = next(each for each in DATA_INVENTORY if each.table == "health")
    put(client, health, ACME, 1)

    assert [key["destination"] for key in tables.keys(health, ACME)] == [
        own_destination(ACME),
        own_drops(ACME),
        own_searches(ACME),
        own_staging(ACME),
        own_tails(ACME),
        own_tail_reads(ACME),
        own_export_reads(ACME),
    ]
