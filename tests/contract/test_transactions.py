"""The local DynamoDB takes a transaction back whole, updates included, and quickly however full it is."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from bench.children import Child, child


@pytest.fixture(scope="module")
def aws() -> Iterator[Child]:
    with child("local.aws") as running:
        yield running


@pytest.fixture(scope="module")
def table(aws: Child) -> Any:
    client = boto3.client(
        "dynamodb",
        endpoint_url=f"http://127.0.0.1:{aws.port}",
        region_name="us-east-1",
        aws_access_key_id="tests",
        aws_secret_access_key="tests",
    )
    client.create_table(
        TableName="t",
        KeySchema=[{"AttributeName": "entry", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "entry", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return client


def put(key: str) -> dict[str, Any]:
    return {
        "Put": {
            "TableName": "t",
            "Item": {"entry": {"S": key}},
            "ConditionExpression": "attribute_not_exists(entry)",
        }
    }


def count_up(key: str) -> dict[str, Any]:
    return {
        "Update": {
            "TableName": "t",
            "Key": {"entry": {"S": key}},
            "UpdateExpression": "ADD n :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }
    }


def value(client: Any, key: str) -> Any:
    return client.get_item(TableName="t", Key={"entry": {"S": key}}).get("Item")


def test_a_transaction_whose_condition_fails_leaves_nothing_behind(table: Any) -> None:
    table.transact_write_items(TransactItems=[put("taken"), count_up("counter")])
    with pytest.raises(ClientError) as caught:
        table.transact_write_items(TransactItems=[count_up("counter"), put("new"), put("taken")])
    codes = [reason["Code"] for reason in caught.value.response["CancellationReasons"]]
    assert codes == ["None", "None", "ConditionalCheckFailed"]
    assert value(table, "new") is None
    assert value(table, "counter")["n"] == {"N": "1"}
    table.transact_write_items(TransactItems=[count_up("counter"), put("new")])
    assert value(table, "counter")["n"] == {"N": "2"}


def test_a_full_table_does_not_make_transactions_expensive(aws: Child, table: Any) -> None:
    def filled(start: int) -> float:
        """CPU seconds of the local AWS for a thousand more items."""
        began = aws.cpu_seconds()
        for first in range(start, start + 1000, 100):
            table.transact_write_items(
                TransactItems=[put(f"k{number}") for number in range(first, first + 100)]
            )
        return aws.cpu_seconds() - began

    first = filled(0)
    for thousand in range(1, 5):
        filled(thousand * 1000)
    assert filled(5000) < 10 * first


@pytest.fixture(scope="module")
def sorted_table(table: Any) -> Any:
    keys = ("owner", "HASH"), ("entry", "RANGE")
    table.create_table(
        TableName="s",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
        BillingMode="PAY_PER_REQUEST",
    )
    return table


def test_in_a_table_with_a_sort_key_too_and_however_full_its_partition_is(
    aws: Child, sorted_table: Any
) -> None:
    def change(operation: str, entry: str, **asked: Any) -> dict[str, Any]:
        key = {"owner": {"S": "acme"}, "entry": {"S": entry}}
        return {operation: {"TableName": "s", "Item" if operation == "Put" else "Key": key, **asked}}

    fresh = {"ConditionExpression": "attribute_not_exists(entry)"}
    add = {"UpdateExpression": "ADD n :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
    for number in range(500):
        key = {"owner": {"S": "acme"}, "entry": {"S": f"{number}"}}
        sorted_table.put_item(TableName="s", Item={**key, "text": {"S": "x" * 100}})
    sorted_table.transact_write_items(TransactItems=[change("Update", "1", **add)])
    with pytest.raises(ClientError):
        sorted_table.transact_write_items(
            TransactItems=[
                change("Update", "1", **add),
                change("Put", "new", **fresh),
                change("Delete", "3"),
                change("Put", "2", **fresh),
            ]
        )
    items = sorted_table.query(
        TableName="s", KeyConditionExpression="#o = :o", ExpressionAttributeNames={"#o": "owner"},
        ExpressionAttributeValues={":o": {"S": "acme"}},
    )["Items"]  # fmt: skip
    assert len(items) == 500
    assert [each["n"]["N"] for each in items if "n" in each] == ["1"]

    began = aws.cpu_seconds()
    for number in range(20):
        sorted_table.transact_write_items(TransactItems=[change("Put", f"more-{number}", **fresh)])
    assert aws.cpu_seconds() - began < 10


def insert(key: str, value: str) -> dict[str, Any]:
    statement = """INSERT INTO "t" VALUE {'entry': ?, 'v': ?}"""
    return {"Statement": statement, "Parameters": [{"S": key}, {"S": value}]}


def test_an_insert_writes_a_new_item_and_leaves_an_existing_one(table: Any) -> None:
    first = table.batch_execute_statement(Statements=[insert("i1", "acme"), insert("i2", "acme")])
    second = table.batch_execute_statement(Statements=[insert("i2", "globex"), insert("i3", "globex")])

    assert [each.get("Error", {}).get("Code") for each in first["Responses"]] == [None, None]
    assert [each.get("Error", {}).get("Code") for each in second["Responses"]] == ["DuplicateItem", None]
    assert [value(table, key)["v"]["S"] for key in ("i1", "i2", "i3")] == ["acme", "acme", "globex"]
