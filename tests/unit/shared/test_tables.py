"""DynamoDB tables: models as in the topology, one error, one paginator, and only the expected requests."""

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from moto import mock_aws

from functions.shared import tables
from functions.shared.tables import table as table_module
from functions.shared.tables import transaction
from functions.shared.tables.accounts import AccountItem, RetentionStepMap
from functions.shared.tables.announcements import AnnouncementItem
from functions.shared.tables.attempts import AttemptsItem
from functions.shared.tables.audit import AuditItem
from functions.shared.tables.billing import BillingItem
from functions.shared.tables.destinations import DestinationItem
from functions.shared.tables.erasures import ErasureItem
from functions.shared.tables.exports import ExportItem
from functions.shared.tables.external_ids import ExternalIdItem
from functions.shared.tables.health import HealthItem
from functions.shared.tables.item import Item
from functions.shared.tables.keys import KeyItem, KeyListItem
from functions.shared.tables.ledger import LedgerItem
from functions.shared.tables.notices import CampaignItem, NoticeItem
from functions.shared.tables.people import PersonItem
from functions.shared.tables.plain import PlainTable
from functions.shared.tables.receipts import ReceiptItem
from functions.shared.tables.saved_searches import SavedSearchItem
from functions.shared.tables.search_budgets import SearchBudgetItem
from functions.shared.tables.search_exports import SearchExportItem
from functions.shared.tables.shards import ShardItem
from functions.shared.tables.store_errors import (
    ConditionFailedError,
    StoreUnavailableError,
    WriteConflictError,
)
from functions.shared.tables.stripe_events import StripeEventItem
from functions.shared.tables.suppressions import SuppressionItem
from functions.shared.tables.table import READ_ROUNDS, READS_A_CALL, Table
from functions.shared.tables.tombstones import TombstoneItem
from functions.shared.tables.transaction import write_all
from functions.shared.tables.turns import TurnItem
from functions.shared.tables.uploads import (
    BacklogItem,
    FileItem,
    UploadCounterItem,
    UploadItem,
    UploadSettingsItem,
    UploadSlotsItem,
)
from functions.shared.tables.usage import UsageItem
from infra.topology import TABLES
from local.tables import definition

MODELS: dict[str, tuple[type[Item], ...]] = {
    "accounts": (AccountItem,),
    "people": (PersonItem,),
    "keys": (KeyItem,),
    "key-lists": (KeyListItem,),
    "audit": (AuditItem,),
    "announcements": (AnnouncementItem,),
    "notices": (NoticeItem, CampaignItem),
    "suppressions": (SuppressionItem,),
    "attempts": (AttemptsItem,),
    "destinations": (DestinationItem,),
    "shards": (ShardItem,),
    "external-ids": (ExternalIdItem,),
    "saved-searches": (SavedSearchItem,),
    "search-budgets": (SearchBudgetItem,),
    "search-exports": (SearchExportItem,),
    "health": (HealthItem,),
    "ledger": (LedgerItem,),
    "usage": (UsageItem,),
    "billing": (BillingItem,),
    "stripe-events": (StripeEventItem,),
    "exports": (ExportItem,),
    "erasures": (ErasureItem,),
    "receipts": (ReceiptItem,),
    "tombstones": (TombstoneItem,),
    "uploads": (
        UploadItem,
        FileItem,
        UploadCounterItem,
        UploadSlotsItem,
        UploadSettingsItem,
        BacklogItem,
    ),
    "turns": (TurnItem,),
}

each_model = pytest.mark.parametrize("model", [each for found in MODELS.values() for each in found])

CANARY = "canary-of-the-request"

ALLOWED = {
    "get_item", "put_item", "update_item", "delete_item", "query", "scan", "batch_get_item",
    "transact_write_items",
}  # fmt: skip


class Recording:
    """A client that notes each operation, and returns nothing but what was put into `answers`."""

    def __init__(self, **answers: Any) -> None:
        self.operations: list[str] = []
        self.requests: list[dict[str, Any]] = []
        self._answers = {"query": {"Items": []}, "scan": {"Items": []}, **answers}

    def __getattr__(self, name: str) -> Any:
        def call(**request: Any) -> Any:
            self.operations.append(name)
            self.requests.append(request)
            answer = self._answers.get(name, {})
            if isinstance(answer, list):
                answer = answer.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        for each in TABLES:
            client.create_table(**definition(each, each.name))
        yield client


def error(code: str, *reasons: str) -> ClientError:
    response: dict[str, Any] = {"Error": {"Code": code, "Message": CANARY}}
    if reasons:
        response["CancellationReasons"] = [{"Code": each, "Message": CANARY} for each in reasons]
    return ClientError(response, "PutItem")  # type: ignore[arg-type]


def test_every_table_of_the_topology_has_a_model_and_every_model_a_table() -> None:
    found: set[type[Item]] = set()
    for module in pkgutil.iter_modules(tables.__path__):
        loaded = importlib.import_module(f"{tables.__name__}.{module.name}")
        found |= {
            each
            for each in vars(loaded).values()
            if isinstance(each, type) and issubclass(each, Item) and each is not Item
        }
    assert MODELS.keys() == {each.name for each in TABLES}
    assert found == {each for models in MODELS.values() for each in models}


@pytest.mark.parametrize("name", sorted(MODELS))
def test_a_model_has_the_keys_and_indexes_of_its_table(name: str) -> None:
    (spec,) = (each for each in TABLES if each.name == name)
    indexed: set[str] = set()
    for model in MODELS[name]:
        described = model.described("t")
        assert (described.hash_keyname, described.range_keyname) == (spec.partition_key, spec.sort_key)
        assert {each["AttributeType"] for each in described.data["AttributeDefinitions"]} == {"S"}
        for index in spec.indexes:
            if not described.has_index_name(index.name):
                continue
            indexed.add(index.name)
            assert described.get_index_hash_keyname(index.name) == index.partition_key
            assert described.get_index_range_keyname(index.name) == index.sort_key
        names = {each.attr_name: each.attr_type for each in model.get_attributes().values()}
        if spec.ttl_attribute in names:
            assert names[spec.ttl_attribute] == "N"
    assert indexed == {each.name for each in spec.indexes}


@each_model
def test_no_model_asks_for_its_tables_description(model: type[Item]) -> None:
    """The roles do not permit it, and it would cost each cold start a request."""
    client = Recording(batch_get_item={"Responses": {}}, update_item={"Attributes": {}})
    table = Table(model, "t", client)
    described = model.described("t")
    key: Any = "a" if described.range_keyname is None else ("a", "b")
    attribute = next(
        each for each in model.get_attributes().values() if each.attr_name == described.hash_keyname
    )
    free = attribute.does_not_exist()
    change = attribute.set("c")

    table.get(key)
    table.update(key, change, condition=free)
    table.update_and_get(key, change)
    table.delete(key, free)
    table.read([key])
    assert list(table.query("a")) == list(table.scan()) == table.page("a", limit=1).items == []
    write_all(
        client,
        [table.write_of_update(key, change), table.write_of_delete(key), table.write_of_check(key, free)],
    )
    assert set(client.operations) <= ALLOWED
    assert {each for each in ALLOWED if each != "put_item"} == set(client.operations)


def test_a_table_makes_its_client_on_first_use_and_one_only(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Recording] = []

    def make() -> Recording:
        made.append(Recording())
        return made[-1]

    monkeypatch.setattr("functions.shared.tables.connection.open_client", make)
    table = Table(ShardItem, "t")
    assert "ClientConnection" in repr(table._connection)
    assert made == []
    table.get("acme")
    table.get("globex")
    assert len(made) == 1


@pytest.mark.parametrize(
    "fault",
    [
        *(
            error(code)
            for code in (
                "ThrottlingException",
                "ProvisionedThroughputExceededException",
                "RequestLimitExceeded",
                "InternalServerError",
                "503",
                "AccessDeniedException",
                "ValidationException",
                "TransactionConflictException",
            )
        ),
        EndpointConnectionError(endpoint_url=CANARY),
        ReadTimeoutError(endpoint_url=CANARY),
    ],
)
def test_every_failure_is_one_error_without_the_request(fault: Exception) -> None:
    calls: list[Callable[[Table[ShardItem]], object]] = [
        lambda table: table.get("acme"),
        lambda table: table.put(ShardItem("acme", shard_hex="0")),
        lambda table: table.update("acme", ShardItem.shard_hex.set("0")),
        lambda table: table.delete("acme"),
        lambda table: table.read(["acme", "globex"]),
        lambda table: list(table.query("acme")),
        lambda table: list(table.scan()),
    ]
    client = Recording(**dict.fromkeys(ALLOWED, fault))
    for call in calls:
        with pytest.raises(StoreUnavailableError) as raised:
            call(Table(ShardItem, "t", client))
        assert CANARY not in str(raised.value)
        assert raised.value.__cause__ is raised.value.__context__ is None
    with pytest.raises(StoreUnavailableError):
        list(PlainTable("t", client).values("tenant_id"))


def test_a_condition_that_does_not_hold_is_no_outage() -> None:
    client = Recording(put_item=error("ConditionalCheckFailedException"))
    with pytest.raises(ConditionFailedError) as raised:
        Table(ShardItem, "t", client).put(
            ShardItem("acme", shard_hex="0"), ShardItem.tenant_id.does_not_exist()
        )
    assert raised.value.__cause__ is raised.value.__context__ is None


def test_the_reasons_of_a_cancelled_transaction_decide_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transaction, "time", SimpleNamespace(sleep=lambda _: None))
    cancelled = "TransactionCanceledException"
    unmet, conflict, throttled = "ConditionalCheckFailed", "TransactionConflict", "ThrottlingError"

    def run(*answers: Any) -> int:
        client = Recording(transact_write_items=list(answers))
        write_all(client, [])
        return len(client.operations)

    assert run(error(cancelled, conflict, "None"), error(cancelled, "None", conflict), {}) == 3
    with pytest.raises(ConditionFailedError):
        run(error(cancelled, "None", unmet))
    with pytest.raises(ConditionFailedError):
        run(error(cancelled, conflict, unmet))
    with pytest.raises(StoreUnavailableError) as raised:
        run(error(cancelled, conflict, throttled), {})
    assert not isinstance(raised.value, WriteConflictError)
    with pytest.raises(StoreUnavailableError):
        run(*[error(cancelled, conflict)] * transaction.TRIES)


def test_all_pages_of_one_tenant_are_read_and_none_of_another(dynamodb: Any) -> None:
    class Narrow:
        """Two items a page."""

        def __getattr__(self, name: str) -> Any:
            def call(**request: Any) -> Any:
                return getattr(dynamodb, name)(**{"Limit": 2, **request})

            return call

    def entry(tenant: str, number: int) -> AuditItem:
        texts = dict.fromkeys(("at", "actor", "action", "subject", "source_ip", "user_agent"), "x")
        return AuditItem(tenant, f"{number}", **texts)

    whole = Table(AuditItem, "audit", dynamodb)
    for number in range(5):
        for tenant in ("acme", "globex"):
            whole.put(entry(tenant, number))
    narrow = Table(AuditItem, "audit", Narrow())

    found = list(narrow.query("acme"))
    assert [(each.tenant_id, each.entry) for each in found] == [("acme", f"{number}") for number in range(5)]
    assert [each.entry for each in narrow.query("globex", newest_first=True, sort=AuditItem.entry < "3")] == [
        "2", "1", "0",
    ]  # fmt: skip
    assert sorted((each.tenant_id, each.entry) for each in narrow.scan()) == sorted(
        (tenant, f"{number}") for number in range(5) for tenant in ("acme", "globex")
    )
    first = whole.page("acme", limit=3)
    rest = whole.page("acme", limit=3, start=first.next_start)
    assert [each.entry for each in (*first.items, *rest.items)] == ["0", "1", "2", "3", "4"]
    assert rest.next_start is None


def test_keys_that_dynamodb_leaves_out_are_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(table_module, "time", SimpleNamespace(sleep=pauses.append))

    class Hesitant(Recording):
        def __init__(self, times: int) -> None:
            super().__init__()
            self.times = times

        def batch_get_item(self, RequestItems: Any) -> Any:  # noqa: N803
            self.requests.append(RequestItems)
            keys = RequestItems["t"]["Keys"]
            self.times -= 1
            if self.times >= 0:
                return {"Responses": {}, "UnprocessedKeys": RequestItems}
            return {"Responses": {"t": [{**key, "shard_hex": {"S": "0"}} for key in keys]}}

    names = [f"tenant-{number}" for number in range(READS_A_CALL + 50)]
    patient = Hesitant(READ_ROUNDS - 1)
    found = Table(ShardItem, "t", patient).read([*names, names[0]])
    assert sorted(each.tenant_id for each in found) == sorted(names), (
        "each once, whatever was asked for twice"
    )
    assert [len(each["t"]["Keys"]) for each in patient.requests] == [READS_A_CALL] * READ_ROUNDS + [50]
    assert all(each["t"]["ConsistentRead"] for each in patient.requests)
    assert len(pauses) == READ_ROUNDS - 1
    with pytest.raises(StoreUnavailableError):
        Table(ShardItem, "t", Hesitant(READ_ROUNDS)).read(names)


def test_items_are_encoded_as_before_pynamodb() -> None:
    account = AccountItem("acme", plan="trial", retention_days=15, bytes_per_second=10**7, end_reason="")
    account.retention_steps = [RetentionStepMap(since=1, days=15)]
    assert account.serialize() == {
        "tenant_id": {"S": "acme"},
        "plan": {"S": "trial"},
        "retention_days": {"N": "15"},
        "bytes_per_second": {"N": "10000000"},
        "accepts_until": {"NULL": True},
        "end_reason": {"S": ""},
        "capped_until": {"NULL": True},
        "cap_left_bytes": {"NULL": True},
        "cap_left_until": {"NULL": True},
        "retention_steps": {"L": [{"M": {"since": {"N": "1"}, "days": {"N": "15"}}}]},
    }
    health = HealthItem("own:acme", failures=2, resume_at=1.25, failing_since=3.0)
    assert health.serialize() == {
        "destination": {"S": "own:acme"},
        "failures": {"N": "2"},
        "resume_at": {"N": "1.25"},
        "failing_since": {"N": "3"},
    }
    key = KeyItem("h", tenant_id="acme", key_id="k", project_id="p", scopes={"read", "ingest"})
    assert key.serialize()["scopes"] == {"SS": ["ingest", "read"]}
    assert (
        "scopes" not in KeyItem("h", tenant_id="acme", key_id="k", project_id="p", scopes=set()).serialize()
    )


def test_a_number_set_to_none_is_written_as_null_and_read_as_none(dynamodb: Any) -> None:
    accounts = Table(AccountItem, "accounts", dynamodb)
    for tenant in ("acme", "globex"):
        accounts.update(tenant, AccountItem.capped_until.set_or_null(5))
    accounts.update("acme", AccountItem.capped_until.set_or_null(None))

    found = {each["tenant_id"]["S"]: each for each in dynamodb.scan(TableName="accounts")["Items"]}
    assert found["acme"]["capped_until"] == {"NULL": True}
    assert found["globex"]["capped_until"] == {"N": "5"}
    acme, globex = accounts.get("acme"), accounts.get("globex")
    assert acme is not None
    assert acme.capped_until is None
    assert globex is not None
    assert globex.capped_until == 5


LITERAL = re.compile(r"""["'](S|N|B|BOOL|NULL|SS|NS|L|M)["']\s*(:(?!\s*\d)|\])""")
"""A key of an AttributeValue, in a literal or in a subscript; its value is never a number, N's is text."""


def test_no_module_outside_the_room_encodes_items_or_follows_pages() -> None:
    inside = Path("functions/shared/tables")
    found = [
        f"{path}:{number}"
        for path in Path("functions").rglob("*.py")
        if inside not in path.parents
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if LITERAL.search(line) or "LastEvaluatedKey" in line or "ExclusiveStartKey" in line
    ]
    assert found == []
    assert LITERAL.search('{"tenant_id": {"S": name}}')
    assert LITERAL.search('item["forget_at"]["N"]')
