"""What billing needs of an account stays until billing is done with it, and no longer."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.privacy.data_inventory import DATA_INVENTORY
from functions.privacy.erasure.place import ErasureClock, ErasurePlace, NotYetError
from functions.privacy.erasure.planner import ErasurePlanner
from functions.privacy.erasure.record import ACCOUNT, RUNNING, Erasure
from functions.privacy.inventory_tables import InventoryTables
from functions.shared.accounts.account_closings import AccountClosings
from functions.shared.tenancy import TenantId
from infra.topology import table
from local import transactions
from local.tables import definition

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
NOON = 1_800_000_000
NEEDED = [each.table for each in DATA_INVENTORY if each.after_billing]


@pytest.fixture
def client() -> Iterator[Any]:
    transactions.install()
    with mock_aws():
        made = boto3.client("dynamodb", region_name="us-east-1")
        for name in NEEDED:
            made.create_table(**definition(table(name), name))
        yield made


def put(client: Any, name: str, tenant: TenantId) -> None:
    client.put_item(TableName=name, Item={"tenant_id": {"S": tenant}, "entry": {"S": f"account#{tenant}"}})


def place(client: Any, name: str) -> ErasurePlace:
    """As the erasure of the account ACME has it."""
    nothing: Any = None
    planner = ErasurePlanner(
        tables=InventoryTables({each: each for each in NEEDED}, client),
        erasures=nothing,
        exports=nothing,
        archives=nothing,
        search_exports=nothing,
        tombstones=nothing,
        shards=nothing,
        closings=AccountClosings("billing", "accounts", client, lambda: NOON),
        sign_ins=nothing,
        suppressions=nothing,
        drops=nothing,
        staging=nothing,
        exports_bucket=nothing,
        rows=nothing,
        byoc_clients=nothing,
        time=ErasureClock(lambda: NOON + 60.0, lambda: 300.0),
        settle=timedelta(),
    )
    return planner.of(Erasure(ACME, "era_1", ACCOUNT, RUNNING, NOON, NOON)).places[name]


@pytest.mark.parametrize("name", NEEDED)
def test_what_billing_needs_stays_until_the_account_is_closed(client: Any, name: str) -> None:
    """Also where a record was restored from before its end was asked for: then that is asked for again."""
    for each in NEEDED:
        put(client, each, ACME)
        put(client, each, GLOBEX)
    assert place(client, name).count() == 1
    with pytest.raises(NotYetError) as waits:
        place(client, name).remove()
    assert waits.value.reason == "billing"
    assert place(client, name).count() == 1
    record = client.get_item(TableName="billing", Key={"entry": {"S": f"account#{ACME}"}})["Item"]
    assert record["closing_requested_at"] == {"N": str(NOON)}
    client.put_item(TableName="billing", Item={**record, "closed_at": {"N": str(NOON)}})
    place(client, name).remove()

    assert place(client, name).count() == 0
    assert [each["tenant_id"]["S"] for each in client.scan(TableName=name)["Items"]] == [GLOBEX]


def test_a_book_without_an_account_is_not_waited_for(client: Any) -> None:
    """A backup brought it back, and billing could close it only with the account."""
    put(client, "billing", ACME)
    put(client, "billing", GLOBEX)
    place(client, "billing").remove()

    assert [each["tenant_id"]["S"] for each in client.scan(TableName="billing")["Items"]] == [GLOBEX]
