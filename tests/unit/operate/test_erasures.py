"""The operator's command: what is open, whether the receipts hold, what a backup brought back."""

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.accounts.directory import Account, Directory
from functions.privacy.data_inventory import DATA_INVENTORY
from functions.privacy.erasure.erasures import KEPT_DAYS, ErasureChangedError
from functions.privacy.erasure.record import ACCOUNT, PERSON, REQUESTED, RUNNING, Erasure, State, item_of
from functions.privacy.erasure.subject import Subject
from functions.privacy.inventory_entry import ATTRIBUTE, InventoryEntry
from functions.shared.accounts.account_status import AccountStatus
from functions.shared.tables.store_errors import StoreUnavailableError
from functions.shared.tenancy import TenantId
from local import transactions
from operate.erasures import ErasureStores, ErasureTables, open_stores
from tests.aws_in_memory import create_tables
from tests.operating import operate

NOON = 1_800_000_000.0
ACME, GLOBEX = TenantId("acme"), TenantId("globex")


@pytest.fixture
def here() -> Iterator[ErasureStores]:
    transactions.install()
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_tables(client)
        names = [each.name.removesuffix("_table").replace("_", "-") for each in fields(ErasureTables)]
        yield open_stores(ErasureTables(*names), client, lambda: NOON)


def run(*arguments: str) -> int:
    client = boto3.client("dynamodb", region_name="us-east-1")
    return operate(*arguments, client=client, clock=lambda: NOON)


def ask(here: ErasureStores, tenant: TenantId, erasure_id: str, **fields: Any) -> Erasure:
    subject = Subject(tenant, "message", "jane@example.org")
    now = int(NOON) - 7200
    erasure = Erasure(tenant, erasure_id, PERSON, REQUESTED, now, now, subject, **fields)
    here.erasures.ask(erasure)
    return here.erasures.start(erasure, NOON)


def client_of(_here: ErasureStores) -> Any:
    return boto3.client("dynamodb", region_name="us-east-1")


def test_what_is_open_is_shown_without_whom_it_is_about(
    here: ErasureStores, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(here, ACME, "era_1")
    assert run("open-erasures") == 0

    output = capsys.readouterr().out
    assert output == "acme person running for 2.0 h, waits for nothing\n"


def test_a_valid_chain_is_reported_by_its_last_hash_and_a_broken_one_is_an_error(
    here: ErasureStores, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        here.erasures.finish(ask(here, ACME, f"era_{number}"), {"rows": number}, NOON)
    assert run("check-receipts") == 0
    assert capsys.readouterr().out == f"3 receipts, the last is {here.receipts.head()[1]}\n"

    client = client_of(here)
    items = client.scan(TableName="receipts")["Items"]
    taken = next(item for item in items if "document" in item and '"number":3' in item["document"]["S"])
    client.delete_item(TableName="receipts", Key={"receipt": taken["receipt"]})
    assert run("check-receipts") == 1
    forged = {**taken, "document": {"S": taken["document"]["S"].replace('"rows":2', '"rows":9')}}
    client.put_item(TableName="receipts", Item=forged)
    assert run("check-receipts") == 1
    client.put_item(TableName="receipts", Item=taken)
    assert run("check-receipts") == 0


def test_a_receipt_that_joins_while_the_chain_is_checked_is_no_break(
    here: ErasureStores, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    here.erasures.finish(ask(here, ACME, "era_1"), {}, NOON)
    later, all_of = ask(here, ACME, "era_2"), here.receipts.all

    def meanwhile() -> Iterator[Any]:
        monkeypatch.setattr(type(here.receipts), "all", lambda _self: all_of())
        here.erasures.finish(later, {}, NOON)
        return all_of()

    monkeypatch.setattr(type(here.receipts), "all", lambda _self: meanwhile())
    assert run("check-receipts") == 0
    assert capsys.readouterr().out.startswith("2 receipts")


def test_an_erasure_that_ends_while_its_account_is_erased_keeps_its_receipt(here: ErasureStores) -> None:
    """The account's erasure had read that it was open: dropped as such it would break the chain."""
    stale = ask(here, ACME, "era_1")
    here.erasures.finish(stale, {"rows": 1}, NOON)
    with pytest.raises(ErasureChangedError):
        here.erasures.drop(stale, NOON)

    assert run("check-receipts") == 0
    status = here.receipts.status("era_1", NOON)
    assert status
    assert status.receipt
    (ended,) = here.erasures.all(ACME)
    here.erasures.drop(ended, NOON)
    assert here.erasures.all(ACME) == []
    assert run("check-receipts") == 0


def test_an_open_erasure_that_goes_with_its_account_is_said_to_be_cancelled_for_a_while(
    here: ErasureStores,
) -> None:
    here.erasures.drop(ask(here, ACME, "era_1"), NOON)
    assert here.erasures.all(ACME) == []

    status = here.receipts.status("era_1", NOON + KEPT_DAYS * 86_400 - 1)
    assert status
    assert (status.state, status.receipt) == ("cancelled", None)
    assert here.receipts.status("era_1", NOON + KEPT_DAYS * 86_400) is None


@pytest.mark.parametrize("state", [REQUESTED, RUNNING])
def test_an_erasure_that_a_backup_opened_again_keeps_its_receipt_and_is_forgotten(
    here: ErasureStores, state: State
) -> None:
    ended = ask(here, ACME, "era_1")
    here.erasures.finish(ended, {"rows": 1}, NOON)
    backup = item_of(replace(ended, state=state)).serialize()
    client_of(here).put_item(TableName="erasures", Item=backup)
    (again,) = here.erasures.due(NOON)
    with pytest.raises((ErasureChangedError, StoreUnavailableError)):
        here.erasures.finish(here.erasures.start(again, NOON), {"rows": 0}, NOON)
    assert run("check-receipts") == 0
    assert run("repeat-erasures", "--dry-run") == 0
    assert len(here.erasures.due(NOON)) == 1
    assert run("repeat-erasures", "--yes") == 0

    assert here.erasures.due(NOON) == []
    assert run("check-receipts") == 0
    status = here.receipts.status("era_1", NOON)
    assert status
    assert status.receipt
    assert status.receipt.counts == {"rows": 1}


@pytest.mark.parametrize("holding", DATA_INVENTORY, ids=lambda each: each.table)
def test_whatever_table_was_brought_back_its_account_is_found(
    here: ErasureStores, holding: InventoryEntry
) -> None:
    """Also where the account itself is in none of them, and beside announcements to all."""
    for tenant in ("acme", "globex", "*"):
        by_name = f"byoc:{tenant}" if holding.table == "health" else tenant
        item = {"tenant_id": {"S": tenant}, **{each: {"S": f"{tenant}-1"} for each in holding.key}}
        if holding.found != ATTRIBUTE:
            item[holding.key[0]] = {"S": by_name}
        client_of(here).put_item(TableName=holding.table, Item=item)
    here.tombstones.add(ACME)

    assert here.resurrected() == {ACME}


def test_an_account_is_erased_again_though_a_persons_erasure_came_back_with_it(here: ErasureStores) -> None:
    ask(here, ACME, "era_1")
    here.tombstones.add(ACME)
    assert run("repeat-erasures", "--yes") == 0

    assert sorted(each.kind for each in here.erasures.due(NOON)) == [ACCOUNT, PERSON]


def test_an_account_of_which_only_rows_are_back_is_erased_again_when_it_is_named(here: ErasureStores) -> None:
    here.tombstones.add(ACME)
    assert run("repeat-erasures", "acme", "globex", "--yes") == 0

    assert [each.tenant for each in here.erasures.due(NOON)] == [ACME]


def test_an_account_that_a_backup_brought_back_is_erased_again_at_once_and_no_other(
    here: ErasureStores, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = Directory("accounts", "keys", client=client_of(here))
    for tenant in (ACME, GLOBEX):
        directory.put_account(Account(tenant, AccountStatus("managed_30", 30, 1), closes_at=None))
    here.tombstones.add(ACME)
    assert run("repeat-erasures", "--dry-run") == 0
    assert here.erasures.due(NOON) == []
    assert run("repeat-erasures", "--yes") == 0
    (again,) = here.erasures.due(NOON)

    assert (again.tenant, again.kind, again.state) == (ACME, "account", REQUESTED)
    assert here.erasures.start(again, NOON).state == RUNNING
    assert run("repeat-erasures", "--yes") == 0
    assert len(here.erasures.due(NOON)) == 1
    assert capsys.readouterr().out.splitlines() == [
        "1 accounts that a backup restored would be erased again",
        "1 accounts that a backup restored are erased again",
        "0 accounts that a backup restored are erased again",
    ]


def test_nothing_is_erased_again_without_a_confirmation(
    here: ErasureStores, capsys: pytest.CaptureFixture[str]
) -> None:
    here.tombstones.add(ACME)
    assert run("repeat-erasures", "acme", "globex") == 1, "there is no terminal to ask on"

    assert here.erasures.due(NOON) == []
    assert "Repeat the command with --yes" in capsys.readouterr().err
