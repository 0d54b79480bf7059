"""A batch that is done: what it stored stands in the ledger, and waits to be counted once."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.billing.usage.count_transactions import CountedMark, CountedPart, UncountedEntry
from functions.billing.usage.done_batches import DoneBatches, WaitingEntry
from functions.shared.batch_usage import UsageShare, packed
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
    batch = ledger.create_batch(Manifest(destination, EXPIRES_ON, objects), "me", 60)
    assert batch
    return ledger.seal(batch, frozenset(each.key for each in objects[:gone]))


PAGE = "log#managed#0"


def batch_item(batch: Batch) -> dict[str, Any]:
    return item(f"batch#{batch.batch_id}")


def item(entry: str) -> dict[str, Any]:
    found: dict[str, Any] = boto3.client("dynamodb").get_item(TableName="ledger", Key={"entry": {"S": entry}})
    return found["Item"]


def mark(client: Any, batches: DoneBatches, before: CountedPart, after: CountedPart, *, last: bool) -> None:
    write_all(client, [batches.marked(CountedMark(PAGE, before, after, last=last))])


def waiting(batches: DoneBatches) -> list[UncountedEntry]:
    return batches.read([each.entry for each in batches.waiting()])


def test_a_batch_waits_to_be_counted_from_the_write_that_commits_it(client: Any, ledger: Ledger) -> None:
    batch = sealed(ledger, ACME, GLOBEX, ACME)
    batches = DoneBatches("ledger", client)
    assert list(batches.waiting()) == []
    assert batches.read([PAGE]) == []

    ledger.done(batch)

    assert list(batches.waiting()) == [WaitingEntry(PAGE, "2027-01-15T08:00:00.000+00:00")]
    shares = (UsageShare(ACME, DAY, 6, 602), UsageShare(GLOBEX, DAY, 3, 301))
    assert batches.read([PAGE]) == [UncountedEntry(PAGE, (shares,))]
    assert batches.shares([batch.batch_id, "unknown"]) == {batch.batch_id: shares}


def test_most_batches_are_written_once(client: Any, ledger: Ledger) -> None:  # noqa: ARG001
    batch = sealed(ledger, ACME, GLOBEX)
    before = batch_item(batch)
    ledger.done(batch)
    assert batch_item(batch) == before
    assert ledger.batch(batch.batch_id).state == DONE


def test_done_twice_waits_once_also_when_it_was_counted_in_between(client: Any, ledger: Ledger) -> None:
    """As a process does that was thought dead, and comes to its end after another."""
    batch, batches = sealed(ledger, ACME), DoneBatches("ledger", client)
    ledger.done(batch)
    ledger.done(batch)
    assert [len(each.batches) for each in waiting(batches)] == [1]
    mark(client, batches, CountedPart(), CountedPart(1), last=True)
    ledger.done(batch)
    assert list(batches.waiting()) == []


def test_done_again_after_many_others_is_found_on_a_full_page(client: Any, ledger: Ledger) -> None:
    """The page that the batch is on is full, and so is the next one."""
    first = sealed(ledger, ACME)
    ledger.done(first)
    for number in range(60):
        ledger.done(sealed(ledger, TenantId(f"tenant-{number}")))
    before = [item(f"log#managed#{number}")["commits"] for number in range(3)]
    Ledger("ledger", lambda: NOON).done(first)
    assert [item(f"log#managed#{number}")["commits"] for number in range(3)] == before
    assert sum(len(each["L"]) for each in before) == 61
    assert sorted(len(each.batches) for each in waiting(DoneBatches("ledger", client))) == [11, 25, 25]


def test_a_page_waits_again_for_what_is_added_after_it_was_counted(client: Any, ledger: Ledger) -> None:
    batches = DoneBatches("ledger", client)
    ledger.done(sealed(ledger, ACME))
    mark(client, batches, CountedPart(), CountedPart(1), last=True)
    assert list(batches.waiting()) == []

    ledger.done(sealed(ledger, GLOBEX))
    (entry,) = waiting(batches)
    assert entry.counted == CountedPart(1)
    assert [[each.tenant for each in shares] for shares in entry.batches] == [[GLOBEX]]


def test_a_page_stays_in_the_index_when_a_batch_is_added_while_it_is_counted(
    client: Any, ledger: Ledger
) -> None:
    batches = DoneBatches("ledger", client)
    ledger.done(sealed(ledger, ACME))
    (read,) = waiting(batches)
    ledger.done(sealed(ledger, GLOBEX))
    with pytest.raises(ConditionFailedError):
        mark(client, batches, read.counted, read.end, last=True)
    assert [len(each.batches) for each in waiting(batches)] == [2]


def test_what_was_gone_is_not_counted_and_a_batch_of_nothing_does_not_wait(
    client: Any, ledger: Ledger
) -> None:
    batches = DoneBatches("ledger", client)
    ledger.done(sealed(ledger, ACME, GLOBEX, gone=1))
    (entry,) = waiting(batches)
    assert [each.tenant for each in entry.batches[0]] == [GLOBEX]

    nothing = sealed(ledger, TenantId("initech"), gone=1)
    ledger.done(nothing)
    assert [len(each.batches) for each in waiting(batches)] == [1]
    assert ledger.batch(nothing.batch_id).state == DONE


def test_a_byoc_batch_belongs_to_its_destination_whatever_its_keys_say(client: Any, ledger: Ledger) -> None:
    batches = DoneBatches("ledger", client)
    ledger.done(sealed(ledger, GLOBEX, ACME, destination=own_destination(ACME)))
    (found,) = waiting(batches)
    assert found.own
    assert {each.tenant for each in found.batches[0]} == {ACME}


def test_a_mark_is_made_once_and_in_its_turn(client: Any, ledger: Ledger) -> None:
    batches = DoneBatches("ledger", client)
    ledger.done(sealed(ledger, ACME, GLOBEX))
    half, end = CountedPart(0, 1), CountedPart(1)
    with pytest.raises(ConditionFailedError):
        mark(client, batches, half, end, last=True)
    mark(client, batches, CountedPart(), half, last=False)
    assert [each.counted for each in waiting(batches)] == [half]
    with pytest.raises(ConditionFailedError):
        mark(client, batches, CountedPart(), half, last=False)
    mark(client, batches, half, end, last=True)
    assert list(batches.waiting()) == []


def test_a_batch_that_the_earlier_version_made_done_is_counted_by_its_own_entry(
    client: Any, ledger: Ledger
) -> None:
    """It is on the page as well, which does not count it again."""
    ledger.done(sealed(ledger, ACME))
    shares = (UsageShare(ACME, DAY, 5, 50), UsageShare(GLOBEX, DAY, 7, 70))
    old = {
        "entry": "batch#0ld",
        "destination": "managed",
        "state": "done",
        "usage": packed(shares),
        "unmetered": "1",
        "done_at": "2026-11-23T10:00:00.000+00:00",
    }
    client.put_item(TableName="ledger", Item={name: {"S": text} for name, text in old.items()})
    client.update_item(
        TableName="ledger",
        Key={"entry": {"S": PAGE}},
        UpdateExpression="SET commits = list_append(commits, :id)",
        ExpressionAttributeValues={":id": {"L": [{"S": "0ld"}]}},
    )
    batches = DoneBatches("ledger", client)
    page, batch = sorted(waiting(batches), key=lambda each: each.entry, reverse=True)
    assert [len(each) for each in page.batches] == [1, 0]
    assert batch == UncountedEntry("batch#0ld", (shares,))

    half, end = CountedPart(0, 1), CountedPart(1)
    for before, after, last in ((CountedPart(), half, False), (half, end, True)):
        write_all(client, [batches.marked(CountedMark(batch.entry, before, after, last))])
        with pytest.raises(ConditionFailedError):
            write_all(client, [batches.marked(CountedMark(batch.entry, before, after, last))])
    assert [each.entry for each in batches.waiting()] == [PAGE]
