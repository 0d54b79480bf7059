"""Attribute types whose encoding is the one in the tables: whole numbers, seconds, sorted sets."""

from dataclasses import dataclass
from typing import Any

from pynamodb.attributes import Attribute, MapAttribute, UnicodeSetAttribute
from pynamodb.constants import NULL, NUMBER
from pynamodb.expressions.operand import Path
from pynamodb.expressions.update import Action


class IntegerAttribute(Attribute[int]):
    """A whole number. pynamodb's NumberAttribute returns floats for `1.0`."""

    attr_type = NUMBER

    def serialize(self, value: Any) -> str | None:
        return None if value is None else str(int(value))

    def deserialize(self, value: str) -> int:
        return int(value)


class NullableIntegerAttribute(IntegerAttribute):
    """A whole number that is stored as NULL, not left out, when it is None."""

    null = True

    def set_or_null(self, value: int | None) -> Action:
        """The update to `value`; None is written as NULL."""
        return Path(self).set({NULL: True} if value is None else value)


class SecondsAttribute(Attribute[float]):
    """Seconds with a fraction; whole seconds are stored without one."""

    attr_type = NUMBER

    def serialize(self, value: Any) -> str | None:
        if value is None:
            return None
        return repr(float(value)) if value % 1 else str(int(value))

    def deserialize(self, value: str) -> float:
        return float(value)


class ItemMap(MapAttribute[str, Any]):
    """A map whose attributes are declared, as those of an item."""

    def __init__(self, *args: Any, **attributes: Any) -> None:
        super().__init__(*args, **attributes)  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class SlotLease:
    """The attributes of one slot: when its lease ends, in Unix seconds, and who has it."""

    until: Attribute[Any]
    owner: Attribute[str]


class TextSetAttribute(UnicodeSetAttribute):
    """A set of strings, sent in order; an empty set is left out, because DynamoDB has none."""

    def serialize(self, value: Any) -> list[str] | None:
        return sorted(value) or None
