"""What moto looks up for each request is remembered, and is what it finds itself."""

import inspect
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import moto
import pytest
from boto3.dynamodb.conditions import Key
from boto3.dynamodb.types import Binary
from botocore.exceptions import ClientError
from botocore.model import Shape
from moto import backends, mock_aws
from moto.core import responses
from moto.core.serialize import AttributePicker, AttributePickerContext
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler
from moto.moto_api._internal import mock_random
from moto.s3.responses import S3Response

from local import moto_lookups
from local.moto_lookups import ATTRIBUTE_TYPES


@pytest.fixture(autouse=True)
def installed() -> None:
    moto_lookups.install()


@pytest.fixture
def table() -> Iterator[Any]:
    with mock_aws():
        resource = boto3.resource("dynamodb", "us-east-1", aws_access_key_id="t", aws_secret_access_key="t")
        yield resource.create_table(
            TableName="tenants",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )


def test_every_service_and_all_its_operations_are_found() -> None:
    folders = {each.name for each in Path(moto.__file__).parent.iterdir() if each.is_dir()}
    assert set(backends.list_of_moto_modules()) == {each for each in folders if not each.startswith("__")}
    for service in (DynamoHandler, S3Response):
        methods = {name for name, _ in inspect.getmembers(service, inspect.isfunction)}
        assert set(responses.method_names_from_class(service)) == methods


def test_an_attribute_value_has_the_type_it_has_and_no_other() -> None:
    values: dict[str, Any] = {"S": "a", "BOOL": False, "M": {"x": {"N": "1"}}, "NULL": True}
    for kind in ATTRIBUTE_TYPES:
        for obj in (values, {}):
            context = AttributePickerContext(obj=obj, key=kind, shape=Shape(kind, {"type": "string"}))
            assert AttributePicker()(context) == obj.get(kind)


@pytest.mark.parametrize(
    ("service", "regions"),
    [("dynamodb", ("us-east-1", "eu-central-1")), ("sqs", ("us-east-1", "eu-central-1")), ("s3", ("aws",))],
)
def test_a_service_has_the_addresses_that_moto_formats(service: Any, regions: tuple[str, ...]) -> None:
    for region in regions:
        backend = backends.get_backend(service)["123456789012"][region]
        formatted = {
            path.format(base) for base in backend.url_bases for path in backend._url_module.url_paths
        }
        assert formatted <= backend.urls.keys()


def test_an_update_does_what_it_says(table: Any) -> None:
    names = {"#m": "m", "#l": "l"}
    put(table)
    table.update_item(
        Key={"id": "acme"},
        UpdateExpression="SET n = n + :n, #m.x = if_not_exists(#m.x, :n), #l = list_append(#l, :l) "
        "REMOVE #m.y ADD s :s DELETE t :t",
        ExpressionAttributeNames=names,
        ExpressionAttributeValues={":n": 2, ":l": ["b"], ":s": {"b"}, ":t": {"c"}},
    )
    assert table.get_item(Key={"id": "acme"})["Item"] == {
        "id": "acme", "n": 3, "m": {"x": 2}, "l": ["a", "b"], "s": {"a", "b"}, "t": {"d"},
    }  # fmt: skip
    assert table.get_item(Key={"id": "globex"})["Item"]["n"] == 1


def test_an_expression_that_is_used_again_does_it_with_its_own_values(table: Any) -> None:
    put(table)
    for tenant, step in (("acme", 2), ("globex", 5), ("acme", 10)):
        table.update_item(
            Key={"id": tenant},
            UpdateExpression="SET n = n + :n",
            ExpressionAttributeValues={":n": step},
        )
    found = {each["id"]: each["n"] for each in table.scan()["Items"]}
    assert found == {"acme": 13, "globex": 6}


@pytest.mark.parametrize(
    "expression",
    [
        "SET id = :n",
        "SET n = :n, n = :n",
        "SET n = missing",
        "SET n = n + :s",
        "SET m.a.b = :n",
        "SET n = :unknown",
        "SET n = :n SET k = :n",
    ],
)
def test_a_wrong_update_is_rejected(table: Any, expression: str) -> None:
    """One for each check that an update passes."""
    put(table)
    values = {name: {":n": 2, ":s": {"b"}}[name] for name in (":n", ":s") if name in expression}
    with pytest.raises(ClientError, match="ValidationException"):
        table.update_item(
            Key={"id": "acme"},
            UpdateExpression=expression,
            **({"ExpressionAttributeValues": values} if values else {}),
        )
    assert table.get_item(Key={"id": "acme"})["Item"]["n"] == 1


@pytest.mark.parametrize(
    "attributes",
    [{"text": "\U0001f600" * 101_300}, {f"a{number}": "a" * 4_060 for number in range(100)}],
    ids=["characters of four bytes", "many attributes"],
)
def test_an_item_that_is_too_large_is_rejected(table: Any, attributes: dict[str, str]) -> None:
    with pytest.raises(ClientError, match="Item size has exceeded the maximum allowed size"):
        table.put_item(Item={"id": "acme", **attributes})
    name, text = attributes.popitem()
    table.put_item(Item={"id": "globex", **attributes, name: text[: len(text) // 2]})
    assert "Item" not in table.get_item(Key={"id": "acme"})


def test_a_condition_that_is_used_again_compares_its_own_names_and_values(table: Any) -> None:
    put(table)
    for tenant, name, value, is_true in (
        ("acme", "n", 1, True),
        ("acme", "n", 2, False),
        ("globex", "n", 1, True),
        ("globex", "s", 1, False),
    ):
        found = table.scan(
            FilterExpression="#name = :value AND id = :id",
            ExpressionAttributeNames={"#name": name},
            ExpressionAttributeValues={":value": value, ":id": tenant},
        )["Items"]
        assert [each["id"] for each in found] == [tenant] * is_true


def put(table: Any) -> None:
    for tenant in ("acme", "globex"):
        table.put_item(Item={"id": tenant, "n": 1, "m": {"y": 1}, "l": ["a"], "s": {"a"}, "t": {"c", "d"}})


def test_a_request_id_has_the_length_and_letters_of_one() -> None:
    drawn = {mock_random.get_random_string(52) for _ in range(10)}
    assert len(drawn) == 10
    assert all(len(each) == 52 and each.isalnum() for each in drawn)
    assert mock_random.get_random_string(40, include_digits=False, lower_case=True).islower()


@pytest.fixture
def entries() -> Iterator[Any]:
    """A table with a sort key and an index, in which two tenants have three entries each."""
    keys = (("id", "HASH"), ("entry", "RANGE"))
    with mock_aws():
        resource = boto3.resource("dynamodb", "us-east-1", aws_access_key_id="t", aws_secret_access_key="t")
        table = resource.create_table(
            TableName="entries",
            KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in ("id", "entry", "state")
            ],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "by_state",
                    "KeySchema": [{"AttributeName": "state", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        for tenant in ("acme", "globex"):
            for number in range(3):
                table.put_item(Item={"id": tenant, "entry": f"e{number}", "state": f"s{number}"})
        yield table


def test_a_query_finds_the_items_of_its_partition_in_order(entries: Any) -> None:
    backwards = entries.query(
        KeyConditionExpression=Key("id").eq("globex") & Key("entry").gte("e1"), ScanIndexForward=False
    )
    assert [(each["id"], each["entry"]) for each in backwards["Items"]] == [
        ("globex", "e2"),
        ("globex", "e1"),
    ]
    first = entries.query(KeyConditionExpression=Key("id").eq("acme"), Limit=2)
    rest = entries.query(
        KeyConditionExpression=Key("id").eq("acme"), ExclusiveStartKey=first["LastEvaluatedKey"]
    )
    assert [each["entry"] for each in first["Items"] + rest["Items"]] == ["e0", "e1", "e2"]
    assert entries.query(KeyConditionExpression=Key("id").eq("umbrella"))["Items"] == []


def test_values_of_every_type_are_answered_as_they_were_stored(entries: Any) -> None:
    stored = {
        "s": "a", "empty": "", "n": Decimal("-1.5"), "b": Binary(b"\x00\xff"), "yes": True, "no": False,
        "nothing": None, "list": ["a", Decimal(1), None, [], {}, False],
        "map": {"S": "a", "N": {"S": {"M": "b"}}},
        "none": {}, "void": [],
        "strings": {"a", "b"}, "numbers": {Decimal(1), Decimal(2)}, "binaries": {Binary(b"a")},
    }  # fmt: skip
    for tenant in ("acme", "globex"):
        entries.put_item(Item={"id": tenant, "entry": "typed", **stored})
    key = {"id": "acme", "entry": "typed"}
    assert entries.get_item(Key=key)["Item"] == {**key, **stored}
    found = entries.query(KeyConditionExpression=Key("id").eq("acme") & Key("entry").eq("typed"))["Items"]
    assert found == [{**key, **stored}]


def test_a_query_of_an_index_finds_items_of_all_partitions(entries: Any) -> None:
    found = entries.query(IndexName="by_state", KeyConditionExpression=Key("state").eq("s1"))["Items"]
    assert sorted((each["id"], each["entry"]) for each in found) == [("acme", "e1"), ("globex", "e1")]


def test_a_query_reads_no_item_of_another_partition_or_out_of_its_range(
    entries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = list[tuple[str, str]]()
    all_items = Table.all_items

    def noted(self: Table) -> Any:
        items = all_items(self)
        read.extend((each.hash_key.value, each.range_key.value) for each in items)
        return items

    monkeypatch.setattr(Table, "all_items", noted)
    entries.query(KeyConditionExpression=Key("id").eq("globex"))
    assert read == [("globex", "e0"), ("globex", "e1"), ("globex", "e2")]
    read.clear()
    entries.query(KeyConditionExpression=Key("id").eq("globex") & Key("entry").between("e1", "e1~"))
    assert read == [("globex", "e1")]


@pytest.mark.parametrize(
    ("of_the_range", "found"),
    [
        (Key("entry").eq("e1"), ["e1"]),
        (Key("entry").lt("e1"), ["e0"]),
        (Key("entry").lte("e1"), ["e0", "e1"]),
        (Key("entry").gt("e1"), ["e2"]),
        (Key("entry").between("e1", "e2"), ["e1", "e2"]),
        (Key("entry").begins_with("e"), ["e0", "e1", "e2"]),
        (Key("entry").begins_with("f"), []),
    ],
)
@pytest.mark.parametrize("tenant", ["acme", "globex"])
def test_a_range_has_its_items_in_pages_of_any_size(
    entries: Any, tenant: str, of_the_range: Any, found: list[str]
) -> None:
    for limit in (1, 2, 9):
        pages, start = list[str](), dict[str, Any]()
        while True:
            page = entries.query(
                KeyConditionExpression=Key("id").eq(tenant) & of_the_range, Limit=limit, **start
            )
            pages += [each["entry"] for each in page["Items"] if each["id"] == tenant]
            if "LastEvaluatedKey" not in page:
                break
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
        assert pages == found


def test_installing_it_twice_changes_nothing() -> None:
    before = (responses.method_names_from_class, AttributePicker.__call__, Table.query)
    moto_lookups.install()
    assert (responses.method_names_from_class, AttributePicker.__call__, Table.query) == before
