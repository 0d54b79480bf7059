"""The operator's command: what is open, whether the receipts hold, what a backup brought back."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.accounts.directory import Account, Directory
from functions.privacy.__main__ import Bench, Settings, bench, main
from functions.privacy.erasure.record import PERSON, REQUESTED, RUNNING, Erasure
from functions.privacy.erasure.subject import Subject
from functions.shared.account.standing import Standing
from functions.shared.tenancy import TenantId
from infra.topology import TABLES
from local import transactions
from local.tables import definition

NOON = 1_800_000_000.0
ACME, GLOBEX = TenantId("acme"), TenantId("globex")


@pytest.fixture
def here() -> Iterator[Bench]:
    transactions.install()
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        for table in TABLES:
            client.create_table(**definition(table, table.name))
        yield bench(Settings("accounts", "erasures", "receipts", "tombstones"), client, lambda: NOON)


def ask(here: Bench, tenant: TenantId, erasure_id: str, **fields: Any) -> Erasure:
    subject = Subject(tenant, "message", "jane@example.org")
    now = int(NOON) - 7200
    erasure = Erasure(tenant, erasure_id, PERSON, REQUESTED, now, now, subject, **fields)
    here.erasures.ask(erasure)
    return here.erasures.start(erasure, NOON)


def test_what_is_open_is_shown_without_whom_it_is_about(
    here: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(here, ACME, "era_1")
    assert main(["open"], here) == 0

    said = capsys.readouterr().out
    assert said == "acme person running for 2.0 h, waits for nothing\n"


def test_a_chain_that_holds_is_told_by_its_last_hash_and_one_that_does_not_is_an_error(
    here: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(3):
        here.erasures.finish(ask(here, ACME, f"era_{number}"), {"rows": number}, NOON)
    assert main(["chain"], here) == 0
    assert capsys.readouterr().out == f"3 receipts, the last is {here.receipts.head()[1]}\n"

    items = here.client.scan(TableName="receipts")["Items"]
    taken = next(item for item in items if "document" in item and '"number":3' in item["document"]["S"])
    here.client.delete_item(TableName="receipts", Key={"receipt": taken["receipt"]})
    assert main(["chain"], here) == 1
    forged = {**taken, "document": {"S": taken["document"]["S"].replace('"rows":2', '"rows":9')}}
    here.client.put_item(TableName="receipts", Item=forged)
    assert main(["chain"], here) == 1
    here.client.put_item(TableName="receipts", Item=taken)
    assert main(["chain"], here) == 0


def test_an_account_that_a_backup_brought_back_is_erased_again_at_once_and_no_other(
    here: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = Directory("accounts", "keys", client=here.client)
    for tenant in (ACME, GLOBEX):
        directory.put_account(Account(tenant, Standing("managed_30", 30, 1), closes_at=None))
    here.tombstones.bury(ACME)
    assert main(["restored"], here) == 0
    assert here.erasures.due(NOON) == []
    assert main(["restored", "--go"], here) == 0
    (again,) = here.erasures.due(NOON)

    assert (again.tenant, again.kind, again.state) == (ACME, "account", REQUESTED)
    assert here.erasures.start(again, NOON).state == RUNNING
    assert main(["restored", "--go"], here) == 0
    assert len(here.erasures.due(NOON)) == 1
    assert capsys.readouterr().out.splitlines() == [
        "1 accounts that a backup brought back would be erased again (--go)",
        "1 accounts that a backup brought back are erased again",
        "0 accounts that a backup brought back are erased again",
    ]
