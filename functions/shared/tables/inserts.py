"""Inserts of DynamoDB's PartiQL: each writes an item if its key does not exist; many are one request."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar

T = TypeVar("T")

INSERTS_A_CALL = 25
"""What DynamoDB accepts in one BatchExecuteStatement."""

_EXISTS = "DuplicateItem"


def insert_statement(table: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The statement that inserts an encoded item; attribute names are those of a model."""
    return {"Statement": _statement(table, tuple(values)), "Parameters": list(values.values())}


@lru_cache(maxsize=64)
def _statement(table: str, names: tuple[str, ...]) -> str:
    values = ", ".join(f"'{name}': ?" for name in names)
    return f'INSERT INTO "{table}" VALUE {{{values}}}'


def split_by_outcome(
    items: Sequence[T], responses: Sequence[Mapping[str, Any]]
) -> tuple[list[T], list[T], str]:
    """Those of `items` whose keys exist, those not written for another reason, and the last such reason.

    `responses`: of the statements, in the order of `items`.
    """
    codes = [str(each.get("Error", {}).get("Code", "")) for each in responses]
    outcomes = list(zip(items, codes, strict=True))
    failed = [(each, code) for each, code in outcomes if code not in ("", _EXISTS)]
    return (
        [each for each, code in outcomes if code == _EXISTS],
        [each for each, _ in failed],
        failed[-1][1] if failed else "",
    )
