"""A batch that is done: what it stored stands in the ledger, and waits to be counted once."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.billing.usage.count_transactions import CountedMark, UncountedBatch
from functions.billing.usage.done_batches import DoneBatches, WaitingBatch
from functions.shared.batch_usage import UsageShare
from functions.shared.events.staged_key import StagedKey, base32
from functions.shared.tables.store_errors import ConditionFailedError
from functions.shared.tables.transaction import write_all
from functions.shared.tenancy import TenantId, own_destination
from functions.sync.ledger import DONE, Batch, Ledger
from functions.sync.notifications import StagedObject
from functions.sync.plan import MANAGED, Manifest
from infra.topology import table
from local import transactions
from local.tables import definition

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
DAY, EXPIRES_ON = date(2026, 11, 23), date(2026, 12, 23)
NOON = 1_800_000_000.0


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    transactions.install()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "tests")
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.setenv(name, "us-east-1")
    with mock_aws():
        client = boto3.client("dynamodb")
        client.create_table(**definition(table("ledger"), "ledger"))
        yield client


@pytest.fixture
def ledger(client: Any) -> Ledger:  # noqa: ARG001 - there has to be one first
    return Ledger("ledger", lambda: NOON)


def sealed(ledger: Ledger, *tenants: TenantId, destination: str = MANAGED, gone: int = 0) -> Batch:
    """A batch of one object of each of `tenants`, of which the first `gone` were gone at its first insert."""
    objects = tuple(
        StagedObject(
            str(StagedKey(tenant, DAY, base32(number + 1), 3, 300 + number, EXPIRES_ON)), f"e{number}", 150
        )
        for number, tenant in enumerate(tenants)
    )
    batch = ledger.create_batch(Manifest(destination, EXPIRES_ON, objects))
    assert batch
    return ledger.seal(batch, frozenset(each.key for each in objects[:gone]))


def item(client: Any, batch: Batch) -> dict[str, Any]:
    found: dict[str, Any] = client.get_item(
        TableName="ledger", Key={"entry": {"S": f"batch#{batch.batch_id}"}}
    )["Item"]
    return found


def test_a_batch_waits_to_be_counted_from_the_write_that_makes_it_done(client: Any, ledger: Ledger) -> None:
    batch = sealed(ledger, ACME, GLOBEX, ACME)
    batches = DoneBatches("ledger", client)
    assert list(batches.waiting()) == []
    assert batches.read([batch.batch_id]) == []

    ledger.done(batch)

    assert list(batches.waiting()) == [WaitingBatch(batch.batch_id, "2027-01-15T08:00:00.000+00:00")]
    shares = (UsageShare(ACME, DAY, 6, 602), UsageShare(GLOBEX, DAY, 3, 301))
    assert batches.read([batch.batch_id]) == [UncountedBatch(batch.batch_id, shares)]
    assert batches.shares([batch.batch_id, "unknown"]) == {batch.batch_id: shares}


def test_a_batch_that_is_done_has_become_small(client: Any, ledger: Ledger) -> None:
    """Each of the writes that count it would pay for the keys of up to 1,000 objects."""
    batch = sealed(ledger, *[ACME] * 8)
    assert len(item(client, batch)["manifest"]["B"]) > 100
    ledger.done(batch)
    assert item(client, batch).keys().isdisjoint({"manifest", "candidates", "excluded"})
    assert len(str(item(client, batch))) < 700
    assert (ledger.batch(batch.batch_id).state, ledger.batch(batch.batch_id).members) == (DONE, ())


def test_done_twice_waits_once_also_when_it_was_counted_in_between(client: Any, ledger: Ledger) -> None:
    """As a process does that was thought dead, and comes to its end after another."""
    batch, batches = sealed(ledger, ACME), DoneBatches("ledger", client)
    ledger.done(batch)
    ledger.done(batch)
    assert len(list(batches.waiting())) == 1
    write_all(client, [batches.marked(CountedMark(batch.batch_id, 0, 1, last=True))])
    ledger.done(batch)
    assert list(batches.waiting()) == []
    assert batches.read([batch.batch_id]) == []


def test_what_was_gone_is_not_counted_and_a_batch_of_nothing_does_not_wait(
    client: Any, ledger: Ledger
) -> None:
    batches = DoneBatches("ledger", client)
    ledger.done(sealed(ledger, ACME, GLOBEX, gone=1))
    (waiting,) = batches.waiting()
    assert [each.tenant for each in batches.read([waiting.batch_id])[0].shares] == [GLOBEX]

    ledger.done(sealed(ledger, TenantId("initech"), gone=1))
    assert len(list(batches.waiting())) == 1


def test_a_byoc_batch_belongs_to_its_destination_whatever_its_keys_say(client: Any, ledger: Ledger) -> None:
    batches = DoneBatches("ledger", client)
    ledger.done(sealed(ledger, GLOBEX, ACME, destination=own_destination(ACME)))
    (waiting,) = batches.waiting()
    (found,) = batches.read([waiting.batch_id])
    assert found.own
    assert {each.tenant for each in found.shares} == {ACME}


def test_a_mark_is_made_once_and_in_its_turn(client: Any, ledger: Ledger) -> None:
    batch, batches = sealed(ledger, ACME, GLOBEX), DoneBatches("ledger", client)
    ledger.done(batch)
    first, second = (
        CountedMark(batch.batch_id, 0, 1, last=False),
        CountedMark(batch.batch_id, 1, 2, last=True),
    )
    with pytest.raises(ConditionFailedError):
        write_all(client, [batches.marked(second)])
    write_all(client, [batches.marked(first)])
    assert batches.read([batch.batch_id])[0].counted == 1
    with pytest.raises(ConditionFailedError):
        write_all(client, [batches.marked(first)])
    write_all(client, [batches.marked(second)])
    assert list(batches.waiting()) == []
