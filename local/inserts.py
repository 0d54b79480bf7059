"""moto's inserts by PartiQL, as DynamoDB has them: an existing item is kept, and the statement says so.

moto hands every item of every table to its parser for each statement, and an insert replaces an item.
"""

import re
from typing import Any

from moto.dynamodb.exceptions import ConditionalCheckFailed
from moto.dynamodb.models import DynamoDBBackend

_INSERT = re.compile(r'INSERT INTO "([\w.-]+)" VALUE \{((?:\'\w+\': \?(?:, )?)+)\}')

_original = DynamoDBBackend.batch_execute_statement


def install() -> None:
    """Replace moto's function until the process ends."""
    DynamoDBBackend.batch_execute_statement = _batch_execute_statement


def _batch_execute_statement(
    backend: DynamoDBBackend, statements: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    return [_response(backend, each) for each in statements]


def _response(backend: DynamoDBBackend, statement: dict[str, Any]) -> dict[str, Any]:
    parsed = _INSERT.fullmatch(statement["Statement"])
    if not parsed or parsed[1] not in backend.tables:
        answers: list[dict[str, Any]] = _original(backend, [statement])
        return answers[0]
    table = parsed[1]
    names = re.findall(r"'(\w+)'", parsed[2])
    item = dict(zip(names, statement["Parameters"], strict=True))
    try:
        backend.put_item(
            table,
            item,
            condition_expression="attribute_not_exists(#key)",
            expression_attribute_names={"#key": backend.tables[table].hash_key_attr},
        )
    except ConditionalCheckFailed:
        message = "Duplicate primary key exists in table"
        return {"TableName": table, "Error": {"Code": "DuplicateItem", "Message": message}}
    return {"TableName": table}
