"""Tests on moto get from DynamoDB what they would get with HTTP requests: items, errors, handlers' calls."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError
from moto import mock_aws

from tests import dynamodb_without_http

TABLE = "shares"
ACME, GLOBEX = {"tenant_id": {"S": "acme"}}, {"tenant_id": {"S": "globex"}}
REQUEST_METADATA = frozenset({"RequestId", "HTTPHeaders"})
"""What differs between two requests with one result."""

ONE_ATTEMPT = Config(retries={"total_max_attempts": 1})

Call = Callable[[Any], Any]


@contextmanager
def two_tenants(*, http: bool) -> Iterator[Any]:
    """A client of a DynamoDB in memory that has an item of each tenant."""
    if not http:
        dynamodb_without_http.install()
    try:
        with mock_aws():
            client = boto3.client("dynamodb", region_name="eu-central-1")
            _fill(client)
            yield client
    finally:
        dynamodb_without_http.uninstall()


def _fill(client: Any) -> None:
    client.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "tenant_id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "tenant_id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    for key, count in ((ACME, 1), (GLOBEX, 2)):
        item = {**key, "n": {"N": str(count)}, "of": {"M": {"b": {"B": b"\x00\xff"}, "l": {"L": []}}}}
        client.put_item(TableName=TABLE, Item=item)


def adding(key: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "TableName": TABLE,
        "Key": key,
        "UpdateExpression": "ADD n :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}},
        **more,
    }


def written(*keys: dict[str, Any]) -> dict[str, Any]:
    """A transaction whose last write has a condition that fails."""
    failing = adding(keys[-1], ConditionExpression="attribute_not_exists(n)")
    writes = [{"Update": adding(key)} for key in keys[:-1]] + [{"Update": failing}]
    return {"TransactItems": writes}


CALLS: dict[str, Call] = {
    "get": lambda client: client.get_item(TableName=TABLE, Key=ACME, ConsistentRead=True),
    "get nothing": lambda client: client.get_item(TableName=TABLE, Key={"tenant_id": {"S": "none"}}),
    "get bytes": lambda client: client.get_item(TableName=TABLE, Key=GLOBEX, ProjectionExpression="#o.b",
                                                ExpressionAttributeNames={"#o": "of"}),
    "put": lambda client: client.put_item(TableName=TABLE, Item={**ACME, "n": {"N": "7"}},
                                          ReturnValues="ALL_OLD"),
    "update": lambda client: client.update_item(**adding(GLOBEX, ReturnValues="UPDATED_NEW")),
    "delete": lambda client: client.delete_item(TableName=TABLE, Key=ACME, ReturnValues="ALL_OLD"),
    "query": lambda client: client.query(TableName=TABLE, KeyConditionExpression="tenant_id = :t",
                                         ExpressionAttributeValues={":t": ACME["tenant_id"]}),
    "scan a page": lambda client: client.scan(TableName=TABLE, Limit=1),
    "scan all pages": lambda client: list(client.get_paginator("scan").paginate(
        TableName=TABLE, PaginationConfig={"PageSize": 1})),
    "batch get": lambda client: client.batch_get_item(RequestItems={TABLE: {"Keys": [ACME, GLOBEX]}}),
    "transaction": lambda client: client.transact_write_items(TransactItems=[{"Update": adding(ACME)}]),
    "describe": lambda client: client.describe_table(TableName=TABLE)["Table"]["KeySchema"],
    "condition fails": lambda client: client.update_item(
        **adding(ACME, ConditionExpression="n > :one"), ReturnValuesOnConditionCheckFailure="ALL_OLD"),
    "transaction fails": lambda client: client.transact_write_items(**written(GLOBEX, ACME)),
    "no such table": lambda client: client.get_item(TableName="nothing", Key=ACME),
    "wrong key": lambda client: client.get_item(TableName=TABLE, Key={"other": {"S": "acme"}}),
    "wrong expression": lambda client: client.update_item(TableName=TABLE, Key=ACME, UpdateExpression="SET"),
    "wrong parameter": lambda client: client.get_item(TableName=TABLE, Key="acme"),
    "wrong value": lambda client: client.get_item(TableName=TABLE, Key={"tenant_id": {"S": 1}}),
    "wrong type": lambda client: client.get_item(TableName=TABLE, Key={"tenant_id": {"X": "acme"}}),
    "two types": lambda client: client.get_item(TableName=TABLE, Key={"tenant_id": {"S": "acme", "N": "1"}}),
    "null": lambda client: client.put_item(TableName=TABLE, Item={**ACME, "none": {"NULL": True}}),
    "bytes": lambda client: client.put_item(TableName=TABLE, Item={**ACME, "b": {"B": b"\xff"}},
                                            ReturnValues="ALL_OLD"),
    "named as a type": lambda client: client.put_item(
        TableName=TABLE, Item={**ACME, "B": {"S": "b"}, "BS": {"BOOL": False}}, ReturnValues="ALL_OLD"),
    "filter": lambda client: client.scan(
        TableName=TABLE, FilterExpression="n > :n AND attribute_exists(#o.b)",
        ExpressionAttributeNames={"#o": "of"}, ExpressionAttributeValues={":n": {"N": "1"}}),
    "create a table": lambda client: client.create_table(
        TableName="more", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST")["TableDescription"]["KeySchema"],
}  # fmt: skip


def outcome(call: Call, client: Any) -> Any:
    """What the call returned or raised, and what both tenants have afterwards; without ids of the request."""
    try:
        answer = call(client)
    except ClientError as error:
        answer = (type(error).__name__, str(error), error.operation_name, error.response)
    except BotoCoreError as error:
        answer = (type(error).__name__, str(error))
    return _comparable(answer), [
        client.get_item(TableName=TABLE, Key=key).get("Item") for key in (ACME, GLOBEX)
    ]


def _comparable(value: Any) -> Any:
    match value:
        case dict():
            return {key: _comparable(each) for key, each in value.items() if key not in REQUEST_METADATA}
        case list() | tuple():
            return [_comparable(each) for each in value]
    return value


@pytest.mark.parametrize("name", CALLS)
def test_a_call_has_the_outcome_of_an_http_request(name: str) -> None:
    with two_tenants(http=True) as client:
        expected = outcome(CALLS[name], client)
    with two_tenants(http=False) as client:
        assert outcome(CALLS[name], client) == expected


@pytest.mark.parametrize(("http", "sent"), [(True, 1), (False, 0)])
def test_handlers_of_calls_run_and_those_of_requests_only_with_http(http: bool, sent: int) -> None:
    seen: list[str] = []
    with two_tenants(http=http) as client:
        for event in ("before-call", "before-send", "after-call"):
            client.meta.events.register(f"{event}.dynamodb", lambda event_name, **_: seen.append(event_name))
        client.get_item(TableName=TABLE, Key=ACME)
    request = ["before-send.dynamodb.GetItem"] * sent
    assert seen == ["before-call.dynamodb.GetItem", *request, "after-call.dynamodb.GetItem"]


def test_a_table_is_found_in_its_region_only() -> None:
    with two_tenants(http=False):
        elsewhere = boto3.client("dynamodb", region_name="us-east-1")
        with pytest.raises(elsewhere.exceptions.ResourceNotFoundException):
            elsewhere.get_item(TableName=TABLE, Key=ACME)


def test_another_endpoint_gets_its_requests() -> None:
    with two_tenants(http=False):
        client = boto3.client(
            "dynamodb", region_name="eu-central-1", endpoint_url="http://127.0.0.1:9", config=ONE_ATTEMPT
        )
        with pytest.raises(EndpointConnectionError):
            client.get_item(TableName=TABLE, Key=ACME)


def test_a_condition_holds_for_writes_of_several_threads() -> None:
    """moto checks and writes in two steps, between which another thread could run."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with two_tenants(http=False) as client:

            def add(_number: int) -> bool:
                below = {":one": {"N": "1"}, ":most": {"N": "4"}}
                try:
                    client.update_item(
                        **adding(ACME, ConditionExpression="n < :most") | {"ExpressionAttributeValues": below}
                    )
                except ClientError:
                    return False
                return True

            for _ in range(20):
                client.update_item(
                    TableName=TABLE,
                    Key=ACME,
                    UpdateExpression="SET n = :one",
                    ExpressionAttributeValues={":one": {"N": "1"}},
                )
                with ThreadPoolExecutor(4) as pool:
                    assert sum(pool.map(add, range(8))) == 3
    finally:
        sys.setswitchinterval(interval)
