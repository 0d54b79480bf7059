"""Global secondary indexes that hold the keys only."""

from typing import Any

from pynamodb.attributes import UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection


def keys_index(name: str, partition_key: str, sort_key: str | None = None) -> GlobalSecondaryIndex[Any]:
    """The index with that name, as an attribute of a model; its keys are strings."""
    settings = type("Meta", (), {"index_name": name, "projection": KeysOnlyProjection()})
    fields: dict[str, Any] = {"Meta": settings, partition_key: UnicodeAttribute(hash_key=True)}
    if sort_key is not None:
        fields[sort_key] = UnicodeAttribute(range_key=True)
    index: GlobalSecondaryIndex[Any] = type(f"{name.title()}Index", (GlobalSecondaryIndex,), fields)()
    return index
