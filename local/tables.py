"""A table of the topology as the parameters of DynamoDB's CreateTable."""

from typing import Any

from infra.topology import Index, Table


def definition(table: Table, name: str) -> dict[str, Any]:
    """The definition of `table`, with the name `name`."""
    keyed: tuple[Table | Index, ...] = (table, *table.indexes)
    attributes = dict.fromkeys(attribute for each in keyed for attribute in _key_of(each))
    indexes = {"GlobalSecondaryIndexes": [_index(each) for each in table.indexes]} if table.indexes else {}
    return {
        "TableName": name,
        "KeySchema": _schema(table),
        "AttributeDefinitions": [{"AttributeName": each, "AttributeType": "S"} for each in attributes],
        "BillingMode": "PAY_PER_REQUEST",
        **indexes,
    }


def _index(index: Index) -> dict[str, Any]:
    included = {"NonKeyAttributes": list(index.projection)} if index.projection else {}
    return {
        "IndexName": index.name,
        "KeySchema": _schema(index),
        "Projection": {"ProjectionType": "INCLUDE" if included else "KEYS_ONLY", **included},
    }


def _schema(keyed: Table | Index) -> list[dict[str, str]]:
    return [{"AttributeName": attribute, "KeyType": kind} for attribute, kind in _key_of(keyed).items()]


def _key_of(keyed: Table | Index) -> dict[str, str]:
    """Attribute -> its key type."""
    sort_key = {keyed.sort_key: "RANGE"} if keyed.sort_key else {}
    return {keyed.partition_key: "HASH", **sort_key}
