"""Accounts that were erased, and who knows of it when."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.shared.accounts.tombstones import KEEP_DAYS, TombstoneCache, Tombstones, name_of
from functions.shared.tables.store_errors import StoreUnavailableError
from functions.shared.tenancy import TenantId
from functions.sync.ledger import FORGET_AFTER_DAYS
from infra.topology import QUEUES, table
from local.tables import definition

NOON = 1_800_000_000.0
ACME, GLOBEX = TenantId("acme"), TenantId("globex")


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws():
        made = boto3.client("dynamodb", region_name="us-east-1")
        made.create_table(**definition(table("tombstones"), "tombstones"))
        yield made


def test_a_tombstone_is_for_one_account_under_a_hashed_name(client: Any) -> None:
    tombstones = Tombstones("tombstones", client, lambda: NOON)
    tombstones.add(ACME)
    tombstones.add(ACME)

    assert tombstones.all() == {name_of(ACME)} != {name_of(GLOBEX)}
    (item,) = client.scan(TableName="tombstones")["Items"]
    assert "acme" not in repr(item)
    assert int(item["forget_at"]["N"]) == NOON + KEEP_DAYS * 86_400


def test_an_account_that_is_erased_again_is_known_for_as_long_again(client: Any) -> None:
    """A backup brought it back, and the backups that were made then are kept from then on."""
    Tombstones("tombstones", client, lambda: NOON).add(ACME)
    again = NOON + 34 * 86_400
    Tombstones("tombstones", client, lambda: again).add(ACME)

    (item,) = client.scan(TableName="tombstones")["Items"]
    assert item["buried_at"] == {"N": str(int(NOON))}
    assert item["forget_at"] == {"N": str(int(again) + KEEP_DAYS * 86_400)}


def test_one_whose_days_are_over_is_forgotten_whenever_dynamodb_deletes_it(client: Any) -> None:
    Tombstones("tombstones", client, lambda: NOON).add(ACME)
    over = NOON + KEEP_DAYS * 86_400

    assert Tombstones("tombstones", client, lambda: over - 1).all() == {name_of(ACME)}
    assert Tombstones("tombstones", client, lambda: over).all() == frozenset()


def test_a_tombstone_outlives_the_ledger_every_message_and_every_backup() -> None:
    """A message lives on its queue, then on the dead letters' for two weeks, and may be redriven once."""
    longest_message = max(queue.retention_days for queue in QUEUES) + 14

    assert max(FORGET_AFTER_DAYS, 35) + longest_message < KEEP_DAYS


@dataclass
class MemoryTombstones:
    """Tombstones that can be silent; `asked` counts."""

    names: frozenset[str] = frozenset()
    silent: bool = False
    asked: int = 0

    def all(self) -> frozenset[str]:
        self.asked += 1
        if self.silent:
            raise StoreUnavailableError("silent")
        return self.names


def test_tombstones_are_read_every_half_minute_and_cached_during_an_outage() -> None:
    tombstones, now = MemoryTombstones(), [0.0]
    recent = TombstoneCache(tombstones, lambda: now[0])  # type: ignore[arg-type]
    assert not recent.is_deleted(ACME)
    tombstones.names = frozenset({name_of(ACME)})
    now[0] = 29
    assert not recent.is_deleted(ACME)
    now[0] = 30
    assert recent.is_deleted(ACME)
    assert not recent.is_deleted(GLOBEX)
    assert tombstones.asked == 2
    tombstones.silent, now[0] = True, 90
    assert recent.is_deleted(ACME)


def test_a_process_without_an_answer_raises_rather_than_report_no_erasures() -> None:
    with pytest.raises(StoreUnavailableError):
        TombstoneCache(MemoryTombstones(silent=True)).is_deleted(ACME)  # type: ignore[arg-type]
