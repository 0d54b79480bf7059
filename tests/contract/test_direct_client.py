"""The ledger's own DynamoDB client writes, reads and fails as a boto3 client does."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from random import Random
from typing import Any

import boto3
import pytest
from moto import mock_aws

from functions.shared import aws_signature, signed_json_client
from functions.shared.accounts.tombstones import Tombstones, name_of
from functions.shared.events.staged_key import StagedKey, time_ordered_id
from functions.shared.tables.direct_client import DirectClient
from functions.shared.tables.ledger import Claim, LedgerItem, log_entry, object_entry
from functions.shared.tables.store_errors import (
    ConditionFailedError,
    StoreUnavailableError,
    WriteConflictError,
)
from functions.shared.tables.table import Table
from functions.shared.tables.transaction import write_once
from functions.shared.tenancy import TenantId
from functions.sync.ledger import INLINE_BYTES, Batch, Ledger
from functions.sync.notifications import StagedObject
from functions.sync.packed_manifest import MAX_MANIFEST_BYTES, pack
from functions.sync.plan import plan
from infra.topology import table
from local import transactions
from local.tables import definition
from tests.aws_environment import set_aws_environment
from tests.signed_connection import MotoConnection, SignedResponse, connecting_to

ACME, GLOBEX = TenantId("acme"), TenantId("globex")
NOON = 1_800_000_000.0
DAY, EXPIRES_ON = date(2027, 1, 15), date(2027, 2, 15)


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    transactions.install()
    set_aws_environment(monkeypatch)
    monkeypatch.setattr(signed_json_client.time, "sleep", lambda _seconds: None)
    with mock_aws():
        client = boto3.client("dynamodb")
        client.create_table(**definition(table("ledger"), "ledger"))
        monkeypatch.setattr(signed_json_client, "connect", connecting_to(client))
        yield client


def staged(count: int) -> list[StagedObject]:
    """Objects of two tenants."""
    return [
        StagedObject(
            str(StagedKey((ACME, GLOBEX)[number % 2], DAY, time_ordered_id(), 3, 900, EXPIRES_ON)),
            "e" * 32,
            90,
        )
        for number in range(count)
    ]


def created(ledger: Ledger, objects: list[StagedObject]) -> Batch:
    batch = ledger.create_batch(plan(objects)[0])
    assert batch
    return batch


def test_a_claim_is_encoded_as_pynamodb_encodes_it() -> None:
    claim = Claim(object_entry("staged/v1/tenant=acme/ä"), "ab" * 32, 1_800_000_000)
    item = LedgerItem(claim.entry, batch_id=claim.batch_id, forget_at=claim.forget_at)

    assert claim.serialize() == item.serialize()


@pytest.mark.parametrize("count", [2, 500], ids=["manifest-inside", "manifest-apart"])
@pytest.mark.parametrize("direct_first", [True, False])
def test_what_one_client_writes_the_other_reads(dynamodb: Any, count: int, direct_first: bool) -> None:
    ours, theirs = Ledger("ledger", lambda: NOON, DirectClient()), Ledger("ledger", lambda: NOON, dynamodb)
    one, other = (ours, theirs) if direct_first else (theirs, ours)
    objects = staged(count)
    assert (len(pack(objects)) > INLINE_BYTES) == (count == 500)
    batch = created(one, objects)

    assert one.claims(each.key for each in objects) == other.claims(each.key for each in objects)
    assert other.batch(batch.batch_id) == one.batch(batch.batch_id)
    assert other.create_batch(plan(objects)[0]) == batch
    lease = other.lease(batch.batch_id, "me", 60)
    assert lease
    assert one.lease(batch.batch_id, "another", 60) is None
    other.release(lease)
    assert one.lease(batch.batch_id, "another", 60)
    sealed = one.seal(batch, frozenset({objects[0].key}))
    assert other.batch(batch.batch_id) == sealed
    other.done(sealed)
    one.done(sealed)
    page = dynamodb.get_item(
        TableName="ledger", Key={"entry": {"S": log_entry(sealed.manifest.destination, 0)}}
    )
    assert page["Item"]["commits"]["L"] == [{"S": batch.batch_id}]


def test_an_object_has_one_batch_whichever_client_claims_it(dynamodb: Any) -> None:
    ours, theirs = Ledger("ledger", lambda: NOON, DirectClient()), Ledger("ledger", lambda: NOON, dynamodb)
    objects = staged(40)
    first = created(theirs, objects[:20])
    second = created(ours, objects[10:])

    assert {each.key for each in second.members} == {each.key for each in objects[20:]}
    assert theirs.complete(theirs.batch(second.batch_id)) == second
    assert ours.complete(ours.batch(first.batch_id)) == first


def test_the_largest_manifest_is_read_whole(dynamodb: Any) -> None:
    """A third longer in an answer, as base64."""
    ours, theirs = (Table(LedgerItem, "ledger", client) for client in (DirectClient(), dynamodb))
    packed = Random(1).randbytes(MAX_MANIFEST_BYTES)
    ours.put(LedgerItem("manifest#a", manifest=packed, forget_at=1))

    for each in (ours, theirs):
        found = each.get("manifest#a")
        assert found
        assert found.manifest == packed


def test_tombstones_are_those_that_boto3_reads(dynamodb: Any) -> None:
    dynamodb.create_table(**definition(table("tombstones"), "tombstones"))
    ours, theirs = (Tombstones("tombstones", client) for client in (DirectClient(), dynamodb))
    assert ours.all() == frozenset()
    for each, tenant in ((ours, "acme"), (theirs, "globex")):
        each.add(TenantId(tenant))

    assert ours.all() == theirs.all() == {name_of(TenantId(each)) for each in ("acme", "globex")}


def test_a_transaction_whose_condition_fails_writes_nothing(dynamodb: Any) -> None:
    client = DirectClient()
    ledger = Table(LedgerItem, "ledger", client)
    ledger.put(LedgerItem("batch#a", state="done", forget_at=1))
    free = LedgerItem.entry.does_not_exist()
    with pytest.raises(ConditionFailedError):
        write_once(
            client, [ledger.write_of_put(LedgerItem(f"batch#{each}", forget_at=1), free) for each in "ba"]
        )

    assert "Item" not in dynamodb.get_item(TableName="ledger", Key={"entry": {"S": "batch#b"}})


class Cancelled(MotoConnection):
    """Cancels every transaction, for `reasons`."""

    def __init__(self, client: Any, reasons: list[str]) -> None:
        super().__init__(client)
        self.reasons = reasons
        self.bodies: list[bytes] = []

    def request(self, _method: str, _path: str, *, body: bytes, **_: Any) -> None:
        self.bodies.append(body)

    def getresponse(self) -> SignedResponse:
        listed = ",".join(f'{{"Code":"{each}"}}' for each in self.reasons)
        kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException"
        return SignedResponse(400, f'{{"__type":"{kind}","CancellationReasons":[{listed}]}}'.encode())


@pytest.mark.parametrize(
    ("reasons", "error"),
    [
        (["None", "TransactionConflict"], WriteConflictError),
        (["ConditionalCheckFailed", "TransactionConflict"], ConditionFailedError),
        (["None", "ThrottlingError"], StoreUnavailableError),
        ([], StoreUnavailableError),
    ],
)
def test_a_cancelled_transaction_has_the_error_of_its_reasons(
    reasons: list[str], error: type[Exception], dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signed_json_client, "connect", lambda *_: Cancelled(dynamodb, reasons))
    with pytest.raises(error) as raised:
        DirectClient().transact_write_items(TransactItems=[])

    assert type(raised.value) is error


def test_attempts_of_a_transaction_share_a_token_and_transactions_do_not(
    dynamodb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = Cancelled(dynamodb, [])
    in_progress = SignedResponse(400, b'{"__type":"x#TransactionInProgressException"}')
    monkeypatch.setattr(connection, "getresponse", lambda: in_progress)
    monkeypatch.setattr(signed_json_client, "connect", lambda *_: connection)
    client = DirectClient(tries=3)
    for _ in range(2):
        with pytest.raises(StoreUnavailableError, match="TransactionInProgressException"):
            client.transact_write_items(TransactItems=[])

    assert [connection.bodies.count(each) for each in sorted(set(connection.bodies))] == [3, 3]


def test_each_thread_has_a_connection_of_its_own(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two requests at once on one connection would get each other's answers."""
    connect, made = connecting_to(dynamodb), list[threading.Thread]()

    def counted(scheme: str, host: str, seconds: float) -> MotoConnection:
        made.append(threading.current_thread())
        return connect(scheme, host, seconds)

    monkeypatch.setattr(signed_json_client, "connect", counted)
    ledger, together = Table(LedgerItem, "ledger", DirectClient()), threading.Barrier(4)

    def use(name: str) -> None:
        together.wait()
        for number in range(5):
            ledger.put(LedgerItem(f"batch#{name}{number}", batch_id=name, forget_at=1))
            found = ledger.get(f"batch#{name}{number}")
            assert found
            assert found.batch_id == name

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(use, "abcd"))
    assert len(made) == len(set(made)) == 4


def test_connections_share_the_trusted_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    """To read them may take 30 ms of CPU."""
    loads = list[object]()
    create = aws_signature.ssl.create_default_context
    monkeypatch.setattr(
        aws_signature.ssl, "create_default_context", lambda **paths: loads.append(1) or create(**paths)
    )
    aws_signature.trusted_tls.cache_clear()
    for _ in range(3):
        signed_json_client.connect("https", "dynamodb.us-east-1.amazonaws.com", 1)

    assert len(loads) == 1
