"""The base of all models: an item of one table."""

from typing import Any

from pynamodb.connection.base import MetaTable
from pynamodb.constants import (
    ATTR_DEFINITIONS,
    GLOBAL_SECONDARY_INDEXES,
    INDEX_NAME,
    KEY_SCHEMA,
    NULL,
    TABLE_NAME,
)
from pynamodb.models import Model

from functions.shared.tables.attributes import NullableIntegerAttribute


class Item(Model):
    """An item; attributes that it lacks are None. Attributes that the model does not declare are ignored."""

    @classmethod
    def described(cls, table_name: str) -> MetaTable:
        """Keys and indexes of the table, from the model: pynamodb never asks DynamoDB for them."""
        schema = cls._get_schema()
        indexes = [
            {INDEX_NAME: each["index_name"], KEY_SCHEMA: each["key_schema"]}
            for each in schema["global_secondary_indexes"]
        ]
        return MetaTable(
            {
                TABLE_NAME: table_name,
                KEY_SCHEMA: schema["key_schema"],
                ATTR_DEFINITIONS: schema["attribute_definitions"],
                GLOBAL_SECONDARY_INDEXES: indexes,
            }
        )

    def serialize(self, null_check: bool = True) -> dict[str, dict[str, Any]]:
        """The item for DynamoDB."""
        encoded = super().serialize(null_check)
        for attribute in self.get_attributes().values():
            if isinstance(attribute, NullableIntegerAttribute):
                encoded.setdefault(attribute.attr_name, {NULL: True})
        return encoded
