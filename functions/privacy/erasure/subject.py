"""Whose rows an erasure is about: a pure rule, once for ClickHouse and once for a row as it is staged."""

import json
from dataclasses import dataclass
from typing import Any, Protocol

from functions.shared.errors import PermanentError
from functions.shared.tenancy import TenantId, row_filter

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
    as a number; a dot in the key leads into an object too.
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
        if self.field == MESSAGE:
            return f"{owned} AND position(message, {{value:String}}) > 0", parameters
        places = []
        for number, place in enumerate(self._places()):
            names = {f"key_{number}_{depth}": name for depth, name in enumerate(place)}
            parameters |= names
            at = ", ".join(["metadata", *(f"{{{name}:String}}" for name in names)])
            places.append(
                f"JSONExtractString({at}) = {{value:String}} OR JSONExtractRaw({at}) = {{value:String}}"
            )
        return f"{owned} AND ({' OR '.join(places)})", parameters

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
        if isinstance(found, str):
            return found == self.value
        return found is not None and json.dumps(found) == self.value


def _at(found: Any, place: tuple[str, ...]) -> Any:
    for name in place:
        if not isinstance(found, dict):
            return None
        found = found.get(name)
    return found
