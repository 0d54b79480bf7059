"""Whose rows an erasure is about: a pure rule, once for ClickHouse and once for a row as it is staged."""

import json
import re
from dataclasses import dataclass
from typing import Any, Protocol

from functions.shared.errors import PermanentError
from functions.shared.tenancy import TenantId, row_filter

_SPELLED_WITH_A_POINT = re.compile(r"-?\d{1,15}(\.\d{1,15}([eE][+-]?\d{1,2})?|[eE][+-]?\d{1,2})", re.ASCII)

MESSAGE = "message"
METADATA = "metadata."


class Whose(Protocol):
    """Rows of one tenant that are to be erased."""

    @property
    def tenant(self) -> TenantId: ...

    def condition(self) -> tuple[str, dict[str, str]]:
        """SQL that holds for them, and its bound parameters."""


@dataclass(frozen=True, slots=True)
class Everything:
    """All rows of `tenant`."""

    tenant: TenantId

    def condition(self) -> tuple[str, dict[str, str]]:
        return row_filter(self.tenant)


@dataclass(frozen=True, slots=True)
class Subject:
    """The rows of `tenant` whose `field` tells of somebody.

    `field` is `message`, which then contains `value`, or `metadata.<key>`, which then is `value`, as text or
    as a number, however that is spelled; a dot in the key leads into an object too. Upper and lower case
    differ, as they do in a search.
    """

    tenant: TenantId
    field: str
    value: str

    def __post_init__(self) -> None:
        named = self.field.startswith(METADATA) and self.field != METADATA
        if self.field != MESSAGE and not named:
            raise PermanentError("field is 'message' or 'metadata.<key>'")
        if not self.value:
            raise PermanentError("value is empty: it would mean everybody")

    def condition(self) -> tuple[str, dict[str, str]]:
        """SQL that holds for the subject's rows, and its bound parameters."""
        owned, parameters = row_filter(self.tenant)
        parameters = {**parameters, "value": self.value}
        if self._number is not None:
            parameters["number"] = repr(self._number)
        if self.field == MESSAGE:
            return f"{owned} AND position(message, {{value:String}}) > 0", parameters
        places = []
        for number, place in enumerate(self._places()):
            names = {f"key_{number}_{depth}": name for depth, name in enumerate(place)}
            parameters |= names
            places.append(self._is_at(", ".join(["metadata", *(f"{{{name}:String}}" for name in names)])))
        return f"{owned} AND ({' OR '.join(places)})", parameters

    def _is_at(self, at: str) -> str:
        """The same for one place in the metadata. Nothing is no value, not even `null`."""
        is_text = f"JSONExtractString({at}) = {{value:String}} OR JSONExtractRaw({at}) = {{value:String}}"
        is_value = f"JSONType({at}) != 'Null' AND ({is_text})"
        if self._number is None:
            return is_value
        is_number = f"JSONType({at}) IN ('Int64', 'UInt64', 'Double')"
        return f"{is_value} OR ({is_number} AND JSONExtractFloat({at}) = {{number:Float64}})"

    def is_told_of_by(self, line: bytes) -> bool:
        """Whether a staged row, one line of NDJSON, is one of them; of a line nobody can read: may be."""
        try:
            row = json.loads(line)
            if self.field == MESSAGE:
                return self.value in str(row["message"])
            return any(self._is_value(_at(row["metadata"], place)) for place in self._places())
        except (ValueError, KeyError, TypeError, RecursionError):
            return self.value.encode() in line

    def _places(self) -> list[tuple[str, ...]]:
        key = self.field.removeprefix(METADATA)
        return [(key,)] if "." not in key else [(key,), tuple(key.split("."))]

    def _is_value(self, found: Any) -> bool:
        if found is None or isinstance(found, str):
            return found == self.value
        if isinstance(found, int | float) and not isinstance(found, bool) and self._number is not None:
            return float(found) == self._number
        if isinstance(found, float) and found.is_integer():
            found = int(found)  # as the engine spells it
        return json.dumps(found) == self.value

    @property
    def _number(self) -> float | None:
        """Of a value that is a number and no whole one as ids are, which a double may hold only nearly."""
        return float(self.value) if _SPELLED_WITH_A_POINT.fullmatch(self.value) else None


def _at(found: Any, place: tuple[str, ...]) -> Any:
    for name in place:
        if not isinstance(found, dict):
            return None
        found = found.get(name)
    return found
