"""The rows that an erasure deletes: all rows of an account, or the rows that mention a person."""

from dataclasses import dataclass
from typing import Protocol

from functions.privacy.erasure.person_rule import MAX_PATH_PARTS, PersonRule
from functions.privacy.erasure.person_sql import Parameters, mentions
from functions.shared.errors import PermanentError
from functions.shared.tenancy import TenantId, row_filter

MESSAGE = "message"
METADATA = "metadata."


class RowSelection(Protocol):
    """Rows of one tenant to be erased."""

    @property
    def tenant(self) -> TenantId: ...

    def condition(self) -> tuple[str, Parameters]:
        """An SQL condition that matches them, and its bound parameters."""


@dataclass(frozen=True, slots=True)
class AllRows:
    """All rows of `tenant`."""

    tenant: TenantId

    def condition(self) -> tuple[str, Parameters]:
        owned, parameters = row_filter(self.tenant)
        return owned, {**parameters}


@dataclass(frozen=True, slots=True)
class Subject:
    """The rows of `tenant` that mention a person: functions.privacy.erasure.person_rule decides which.

    `field` is `message`, which then contains `value`, or `metadata.<key>`, which then equals `value`, as text
    or as a number, however that is spelled; a dot in the key also leads into an object.
    """

    tenant: TenantId
    field: str
    value: str

    def __post_init__(self) -> None:
        named = self.field.startswith(METADATA) and self.field != METADATA
        if self.field != MESSAGE and not named:
            raise PermanentError("field must be 'message' or 'metadata.<key>'")
        if self.field.count(".") > MAX_PATH_PARTS:
            raise PermanentError(f"field leads more than {MAX_PATH_PARTS} keys deep")
        if not self.value:
            raise PermanentError("value is empty: it would match every row")

    def rule(self) -> PersonRule:
        """The rule for these rows. Creating it is slow: create it once for many rows."""
        key = None if self.field == MESSAGE else self.field.removeprefix(METADATA)
        return PersonRule(key, self.value)

    def condition(self) -> tuple[str, Parameters]:
        """An SQL condition that matches the subject's rows, and its bound parameters."""
        owned, tenant = row_filter(self.tenant)
        condition, parameters = mentions(self.rule())
        return f"{owned} AND {condition}", {**tenant, **parameters}
