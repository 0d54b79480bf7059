"""Inserts: an item is written unless its key exists, whatever happens to the other items of the request."""

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.shared.tables import table as tables
from functions.shared.tables.inserts import INSERTS_A_CALL
from functions.shared.tables.ledger import LedgerItem, object_entry
from functions.shared.tables.store_errors import StoreUnavailableError
from functions.shared.tables.table import INSERT_ROUNDS, Table
from infra.topology import table
from local import transactions
from local.tables import definition
from tests.aws_environment import set_aws_environment

ACME, GLOBEX = "batch of acme", "batch of globex"

Answer = dict[str, Any]


class Client:
    """A client whose answers to inserts may be changed: `answers` get the request and the real call."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.answers: list[Callable[[list[Any], Callable[[list[Any]], Answer]], Answer]] = []
        self.sent: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def batch_execute_statement(self, Statements: list[Any]) -> Answer:  # noqa: N803
        self.sent.append(len(Statements))

        def real(some: list[Any]) -> Answer:
            answer: Answer = self._client.batch_execute_statement(Statements=some)
            return answer

        return self.answers.pop(0)(Statements, real) if self.answers else real(Statements)


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    transactions.install()
    set_aws_environment(monkeypatch)
    monkeypatch.setattr(tables, "_WAIT_SECONDS", 0)
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        client.create_table(**definition(table("ledger"), "ledger"))
        yield Client(client)


@pytest.fixture
def ledger(client: Client) -> Table[LedgerItem]:
    return Table(LedgerItem, "ledger", client)


def claims(batch_id: str, *names: Any) -> list[LedgerItem]:
    return [LedgerItem(object_entry(f"{name}"), batch_id=batch_id, forget_at=1) for name in names]


def entries(items: list[LedgerItem]) -> set[str]:
    return {each.entry for each in items}


def owners(ledger: Table[LedgerItem]) -> dict[str, str]:
    return {each.entry.partition("#")[2]: each.batch_id for each in ledger.scan()}


def test_existing_items_stay_and_the_others_are_written(ledger: Table[LedgerItem]) -> None:
    assert ledger.insert_missing(claims(ACME, "a", "b")) == []

    assert entries(ledger.insert_missing(claims(GLOBEX, "b", "c"))) == {"object#b"}

    assert owners(ledger) == {"a": ACME, "b": ACME, "c": GLOBEX}


def test_many_items_are_sent_in_as_few_requests_as_dynamodb_permits(
    client: Client, ledger: Table[LedgerItem]
) -> None:
    ledger.insert_missing(claims(GLOBEX, 3, 30, 59))
    existing = ledger.insert_missing(claims(ACME, *range(60)))
    assert client.sent == [3, INSERTS_A_CALL, INSERTS_A_CALL, 10]
    assert entries(existing) == {"object#3", "object#30", "object#59"}
    assert len(owners(ledger)) == 60


@pytest.mark.parametrize(
    "name", ["quote'", 'double"quote', "?", "}", "naïve 🦀", "x" * 2000], ids=lambda name: name[:12]
)
def test_a_key_is_a_value_and_never_a_part_of_the_statement(ledger: Table[LedgerItem], name: str) -> None:
    assert ledger.insert_missing(claims(ACME, name)) == []
    assert entries(ledger.insert_missing(claims(GLOBEX, name))) == {f"object#{name}"}
    assert owners(ledger) == {name: ACME}


@pytest.mark.parametrize("code", ["ThrottlingError", "TransactionConflict", "InternalServerError"])
def test_what_was_not_written_is_sent_again_and_nothing_else(
    client: Client, ledger: Table[LedgerItem], code: str
) -> None:
    def second_fails(statements: list[Any], real: Callable[[list[Any]], Answer]) -> Answer:
        first, third = real([statements[0], statements[2]])["Responses"]
        return {"Responses": [first, {"Error": {"Code": code}}, third]}

    client.answers = [second_fails]
    assert ledger.insert_missing(claims(ACME, "a", "b", "c")) == []
    assert client.sent == [3, 1]
    assert set(owners(ledger)) == {"a", "b", "c"}


def test_an_item_whose_response_was_lost_is_among_the_existing_ones(
    client: Client, ledger: Table[LedgerItem]
) -> None:
    """So the ledger reads whose claim it is."""

    def lost(statements: list[Any], real: Callable[[list[Any]], Answer]) -> Answer:
        real(statements)
        return {"Responses": [{"Error": {"Code": "InternalServerError"}} for _ in statements]}

    client.answers = [lost]
    assert entries(ledger.insert_missing(claims(ACME, "a", "b"))) == {"object#a", "object#b"}
    assert owners(ledger) == {"a": ACME, "b": ACME}


def test_items_that_are_never_written_are_an_outage_whose_reason_is_named(
    client: Client, ledger: Table[LedgerItem]
) -> None:
    def denied(statements: list[Any], _real: Any) -> Answer:
        return {"Responses": [{"Error": {"Code": "AccessDenied"}} for _ in statements]}

    client.answers = [denied] * INSERT_ROUNDS
    with pytest.raises(StoreUnavailableError, match="AccessDenied"):
        ledger.insert_missing(claims(ACME, "a"))
    assert len(client.sent) == INSERT_ROUNDS
    assert owners(ledger) == {}
